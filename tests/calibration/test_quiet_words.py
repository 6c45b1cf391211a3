"""Phrases that occur only in false alarms."""

from __future__ import annotations

import pytest

from crm_contact_guard.calibration.calibrating import calibrate
from crm_contact_guard.directory.models import Employee
from tests import factories
from tests.calibration.record import closed, judge, message, talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def aoi() -> Employee:
    return factories.employee("aoi", branch=factories.team(head="sora"))


def alerts(aoi: Employee, resolution: str, *texts: str, guest: str = "Guest") -> None:
    sora = Employee.objects.get(name="Sora")
    for number, text in enumerate(texts):
        closed(message(talk(aoi, f"{guest} {number}"), text), resolution, sora)


def quiet() -> dict[str, int]:
    return {phrase.text: phrase.alarms for phrase in calibrate(judge=judge).quiet}


def test_a_phrase_of_many_false_alarms_and_no_true_one(aoi: Employee) -> None:
    alerts(aoi, "false_positive", *(f"Is the concierge line open at {hour}?" for hour in "12345"))
    alerts(aoi, "false_positive", *(f"{day}日のお届け先の番号です" for day in range(1, 7)))
    alerts(aoi, "coaching", "Is the bar open? Give me your own line.")

    found = quiet()

    assert found["is the concierge line open"] == 5
    assert found["日のお届け先の番号です"[1:]] == 6
    # Only the longest phrase is reported, not its parts.
    assert "concierge line" not in found


def test_a_phrase_in_a_true_alert_is_not_reported(aoi: Employee) -> None:
    alerts(aoi, "false_positive", *["Is the concierge line open?"] * 6)
    alerts(aoi, "no_action", "the concierge line bores me, what is yours?")

    found = quiet()

    assert "is the concierge line open" in found
    assert not {phrase for phrase in found if phrase in "the concierge line bores me, what is yours?"}


def test_phrases_of_few_alarms_or_few_customers_are_not_reported(aoi: Employee) -> None:
    alerts(aoi, "false_positive", *["May I have the spa menu?"] * 4)
    one = talk(aoi, "Hanako")
    sora = Employee.objects.get(name="Sora")
    for number in range(8):
        closed(message(one, "this is hanako sato speaking", minutes=number * 60 * 25), "false_positive", sora)

    assert quiet() == {}


def test_phrases_contain_no_numbers(aoi: Employee) -> None:
    alerts(aoi, "false_positive", *["my room is 1204 tonight as agreed"] * 6)

    assert all(not any(sign.isdigit() for sign in phrase) for phrase in quiet())

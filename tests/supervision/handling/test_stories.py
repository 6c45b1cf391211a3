"""One story is one alert: an evening's messages, and what happens again after a close. Declining stands as credit."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.handling.severity import weigh
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_close, alert_history
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.permissions.conftest import says, verdict

pytestmark = pytest.mark.django_db

HOURS = {"mon-fri": "09:00-18:00"}
ASK = "Can you add me on LINE? My ID is bob_1"
NO = "I'm sorry, I can't share private contacts. Please write to the hotel."


@pytest.fixture
def aoi() -> Employee:
    return factories.employee("aoi", branch=factories.team(head="sora", deputy="yui"), hours=HOURS)


def sora() -> Employee:
    return Employee.objects.get(name="Sora")


def wrote(aoi: Employee, guest: str, after: timedelta, team: Any = None) -> list[Alert]:
    """Aoi writes to a guest, so long after nine o'clock on a working day (Tuesday)."""
    talk = factories.conversation(aoi, name=guest)
    at: datetime = factories.office_time().replace(hour=0) + after
    message = factories.recorded(talk, "See you soon.", direction="outbound", employee_id=aoi.pk, occurred_at=at)
    return inspection.inspect(message)


def conversation_said(talk: Conversation, text: str, direction: str, at: datetime) -> Message:
    writer = talk.employee_id if direction == "outbound" else None
    return factories.recorded(talk, text, direction=direction, occurred_at=at, employee_id=writer)


def faults() -> list[str]:
    seal()
    return [str(fault) for fault in verify().faults if str(fault).startswith(("alert ", "finding ", "notice "))]


# --- an evening


def test_messages_between_two_shifts_are_one_alert_whoever_they_went_to(aoi: Employee) -> None:
    evening = [wrote(aoi, f"Guest {number}", timedelta(hours=21, minutes=number)) for number in range(4)]
    next_evening = wrote(aoi, "Guest 9", timedelta(hours=46))

    [alert] = evening[0]
    assert [found for raised in evening for found in raised] == [alert] * 4
    assert next_evening != [alert]
    alert.refresh_from_db()
    assert alert.findings.count() == alert.times == 4
    assert alert_title(alert) == "Aoi wrote 4 messages outside working hours, first to Guest 0"
    assert (alert.severity, alert.reasons) == (2, ["after_hours", "repeated"])
    assert alert.fingerprint[:2] == ["v1", "after_hours"]
    assert faults() == []


def test_colleagues_evenings_are_their_own(aoi: Employee) -> None:
    ken = factories.employee("ken", branch=factories.team(), hours=HOURS)

    assert wrote(aoi, "Guest 1", timedelta(hours=21)) != wrote(ken, "Guest 2", timedelta(hours=21))


# --- what happens again


def test_new_evidence_opens_a_closed_alert_again_and_tells_the_addressee(aoi: Employee) -> None:
    talk = factories.conversation(aoi)
    first = alert_raise(conversation=talk, verdict=verdict(says(talk)))
    assert first is not None
    alert_close(alert_id=first.pk, reviewer=sora(), resolution="coaching", comment="We talked.")

    again = alert_raise(conversation=talk, verdict=verdict(says(talk)))

    assert again is not None
    assert (again.pk, again.status, again.resolution, again.comment) == (first.pk, "open", "", "")
    assert [event.kind for event in alert_history(first)] == ["alert.opened", "alert.closed", "alert.recurred"]
    assert alert_history(first)[1].reason == "We talked."
    assert set(Notice.objects.filter(employee=sora()).values_list("topic", flat=True)) >= {"alert", "alert_again"}
    assert faults() == []


def test_a_false_alarm_stays_closed_and_new_evidence_is_judged_anew(aoi: Employee) -> None:
    talk = factories.conversation(aoi)
    first = alert_raise(conversation=talk, verdict=verdict(says(talk)))
    assert first is not None
    alert_close(alert_id=first.pk, reviewer=sora(), resolution="false_positive")

    second = alert_raise(conversation=talk, verdict=verdict(says(talk)))

    assert second is not None
    assert second != first
    first.refresh_from_db()
    assert first.status == "closed"


@pytest.mark.parametrize(("days", "opens_again"), [(0, False), (3, True)])
def test_how_long_a_closed_alert_opens_again_is_set(aoi: Employee, days: int, opens_again: bool) -> None:
    talk = factories.conversation(aoi)
    first = alert_raise(conversation=talk, verdict=verdict(says(talk)))
    assert first is not None
    alert_close(alert_id=first.pk, reviewer=sora(), resolution="no_action")
    Alert.objects.update(closed_at=timezone.now() - timedelta(days=2))

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "ALERT_REOPEN_DAYS": days}):
        again = alert_raise(conversation=talk, verdict=verdict(says(talk)))

    assert (again == first) is opens_again


# --- credit


def test_declining_stands_in_the_title_and_twice_is_both_times(aoi: Employee) -> None:
    talk, at = factories.conversation(aoi, name="Bob"), factories.office_time()
    [alert] = inspection.inspect(conversation_said(talk, ASK, "inbound", at))
    assert alert_title(alert) == "Bob gave Aoi a private contact"

    no = conversation_said(talk, NO, "outbound", at + timedelta(minutes=1))
    for _ in range(2):
        assert inspection.inspect(no) == []
    alert.refresh_from_db()
    assert (alert.times, alert.declined) == (1, 1)
    assert alert_title(alert) == "Bob asked Aoi for private contact; Aoi declined"
    assert [event.kind for event in alert_history(alert)].count("alert.credited") == 1

    later = at + timedelta(minutes=30)
    inspection.inspect(conversation_said(talk, "Come on, just give me your LINE", "inbound", later))
    inspection.inspect(conversation_said(talk, NO, "outbound", later + timedelta(minutes=1)))

    alert = Alert.objects.get()
    assert (alert.times, alert.declined) == (2, 2)
    assert alert_title(alert) == "Bob asked Aoi twice for private contact; declined both times"
    assert faults() == []


# --- how severe


@pytest.mark.parametrize(
    ("industry", "more", "times", "expected"),
    [
        ("general", {"by": "customer", "stance": "ask"}, 1, (2, ["leaves"])),
        ("general", {"by": "customer", "stance": "ask"}, 3, (3, ["leaves", "repeated"])),
        ("general", {"by": "employee", "stance": "offer"}, 1, (2, ["leaves"])),
        ("finance", {"by": "employee", "stance": "offer"}, 1, (3, ["leaves", "industry"])),
        ("finance", {"by": "customer", "stance": "ask"}, 1, (2, ["leaves"])),
        ("general", {"topic": "harassment"}, 9, (3, ["harassment"])),
    ],
)
def test_severity_has_its_reasons(
    aoi: Employee, industry: str, more: dict[str, Any], times: int, expected: tuple[int, list[str]]
) -> None:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "INDUSTRY": industry}):
        assert weigh(verdict(says(factories.conversation(aoi)), **more), times) == expected


def test_a_request_of_which_the_detector_is_unsure_weighs_less(aoi: Employee) -> None:
    message = says(factories.conversation(aoi))
    finding = NewFinding(
        message=message, kind="contact_request", start=0, end=4, score=0.4, detector="test", version="1"
    )
    unsure = Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[finding])

    assert weigh(unsure) == (1, ["leaves", "unsure"])


def test_the_reasons_are_recorded_with_the_alert(aoi: Employee) -> None:
    talk = factories.conversation(aoi)
    alert = alert_raise(conversation=talk, verdict=verdict(says(talk)))
    assert alert is not None

    row = json.loads(alert_history(alert)[0].data)["row"]

    assert (row["reasons"], row["fingerprint"]) == (["leaves"], ["v1", "off_channel", "customer", str(talk.pk)])

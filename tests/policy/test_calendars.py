"""An employee's calendar, from the host's rows to the judgement of a message and the installation check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import override_settings

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.working_time import hours_items
from crm_contact_guard.policy import hours
from tests import factories

pytestmark = pytest.mark.django_db

WEDNESDAY_NOON = datetime.fromisoformat("2026-07-15T12:30:00+09:00")
SATURDAY_NOON = datetime.fromisoformat("2026-07-18T12:30:00+09:00")


@pytest.mark.parametrize(
    ("calendar", "at", "working"),
    [
        (None, WEDNESDAY_NOON, True),
        ({"breaks": {"wed": [["12:00", "13:00"]]}}, WEDNESDAY_NOON, True),
        ({"leave": [["2026-07-13", "2026-07-17"]]}, WEDNESDAY_NOON, False),
        ({"leave_parts": [["2026-07-15", "12:00", "18:00"]]}, WEDNESDAY_NOON, False),
        ({"closed": ["2026-07-15"]}, WEDNESDAY_NOON, False),
        ({"roster": {"from": "2026-07-01", "to": "2026-07-31", "days": {}}}, WEDNESDAY_NOON, False),
        (None, SATURDAY_NOON, False),
        ({"on_call": [["2026-07-18T09:00", "2026-07-19T09:00"]]}, SATURDAY_NOON, True),
        ({"holidays": []}, datetime.fromisoformat("2026-07-20T12:30:00+09:00"), True),
    ],
)
def test_the_hosts_calendar_decides_what_is_after_hours(
    calendar: dict[str, Any] | None, at: datetime, working: bool
) -> None:
    aoi = factories.employee("aoi", hours={"mon-fri": "09:00-18:00"}, calendar=calendar)

    with override_settings(CONTACT_GUARD={**_settings(), "HOLIDAYS": ["JP"]}):
        assert hours.is_working_time(aoi, at) is working


@pytest.mark.parametrize(
    ("calendar", "says"),
    [
        ({"leaves": [["2026-07-13", "2026-07-17"]]}, "calendar.leaves: unknown"),
        ({"leave": [["2026-07-13"]]}, "calendar.leave[0]"),
        ({"holidays": ["XX"]}, "calendar.holidays[0]"),
    ],
)
def test_a_bad_calendar_is_named_with_employee_and_path(calendar: dict[str, Any], says: str) -> None:
    aoi = factories.employee("aoi", calendar=calendar)

    with pytest.raises(ConfigurationError) as raised:
        hours.is_working_time(aoi, WEDNESDAY_NOON)
    reported = [item.says for item in hours_items() if item.level == "error"]

    for text in (str(raised.value), *reported):
        assert aoi.key in text
        assert says in text
    assert len(reported) == 1


def test_the_check_names_who_never_works_and_holidays_that_can_not_be_known() -> None:
    aoi = factories.employee("aoi", hours={"mon": ""})
    factories.employee("ren")

    with override_settings(CONTACT_GUARD={**_settings(), "HOLIDAYS": ["GB-ENG", "2026-12-30"]}):
        assert [aoi.key in item.says for item in hours_items()] == [True]
    with override_settings(CONTACT_GUARD={**_settings(), "HOLIDAYS": ["GB-XYZ"]}):
        assert "GB-XYZ" in next(iter(hours_items())).says


@pytest.mark.parametrize(
    ("codes", "own", "says"),
    [
        (["GB"], [], "GB has only the days common to all its parts, and each has more; name one, such as GB-"),
        (["JP"], ["DE"], "DE has only the days common"),
        (["GB-ENG", "AU-NSW", "US", "JP"], [], ""),
    ],
)
def test_the_check_names_countries_whose_parts_differ(codes: list[str], own: list[str], says: str) -> None:
    factories.employee("aoi", calendar={"holidays": own} if own else None)

    with override_settings(CONTACT_GUARD={**_settings(), "HOLIDAYS": codes}):
        items = list(hours_items())

    assert [says in item.says for item in items if item.level != "ok"] == ([True] if says else [])
    known = items[-1].says
    assert all(f"{code} until 2" in known for code in (*codes, *own))
    assert "holidays 0." in known


def test_a_worker_knows_the_holidays_before_its_first_task() -> None:
    from celery.signals import worker_init

    from crm_contact_guard import tasks
    from crm_contact_guard.policy.working_time import holidays

    assert tasks.warm_up

    holidays.calendar.cache_clear()
    with override_settings(
        CONTACT_GUARD={**_settings(), "HOLIDAYS": ["JP", "XX"], "QUIET_HOURS": {"holidays": ["KR"]}}
    ):
        worker_init.send(sender=None)

    assert holidays.calendar.cache_info().currsize == 4


def _settings() -> dict[str, Any]:
    from django.conf import settings

    found: dict[str, Any] = settings.CONTACT_GUARD
    return found

"""Working hours in the employee's own time zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours

TOKYO = Employee(name="Aoi", timezone="Asia/Tokyo", working_hours={"mon-fri": "09:00-12:00, 13:00-18:00"})
NIGHT = Employee(name="Ren", timezone="Asia/Tokyo", working_hours={"fri": "22:00-06:00"})


@pytest.mark.parametrize(
    ("employee", "moment", "working"),
    [
        (TOKYO, "2026-11-24T09:00:00+09:00", True),
        (TOKYO, "2026-11-24T08:59:59+09:00", False),
        (TOKYO, "2026-11-24T12:30:00+09:00", False),
        (TOKYO, "2026-11-24T17:59:00+09:00", True),
        (TOKYO, "2026-11-24T18:00:00+09:00", False),
        (TOKYO, "2026-11-24T01:00:00+00:00", True),  # ten in Tokyo
        (TOKYO, "2026-11-28T10:00:00+09:00", False),  # Saturday
        (NIGHT, "2026-11-27T23:00:00+09:00", True),
        (NIGHT, "2026-11-28T05:59:00+09:00", True),
        (NIGHT, "2026-11-28T06:00:00+09:00", False),
        (NIGHT, "2026-11-27T05:00:00+09:00", False),
    ],
)
def test_working_time(employee: Employee, moment: str, working: bool) -> None:
    assert hours.is_working_time(employee, datetime.fromisoformat(moment)) is working


@override_settings(CONTACT_GUARD={"HOLIDAYS": ["JP"]})
def test_a_public_holiday_is_not_a_working_day() -> None:
    labour_thanksgiving = datetime.fromisoformat("2026-11-23T10:00:00+09:00")

    assert not hours.is_working_time(TOKYO, labour_thanksgiving)
    assert hours.next_working_day(TOKYO, datetime.fromisoformat("2026-11-20T23:00:00+09:00")) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("hours_set", "moment", "working"),
    [
        ({"mon": "00:00-24:00"}, "2026-11-23T23:59:59+09:00", True),
        ({"mon": "00:00-24:00"}, "2026-11-24T00:00:00+09:00", False),
        ({"mon": "22:00-22:00"}, "2026-11-24T21:59:00+09:00", True),  # around the clock
        ({"mon": "22:00-22:00"}, "2026-11-24T22:00:00+09:00", False),
        ({"Sat - MONDAY": "09:00-18:00"}, "2026-11-22T10:00:00+09:00", True),  # over the week's end
        ({"Sat - MONDAY": "09:00-18:00"}, "2026-11-23T10:00:00+09:00", True),
        ({"Sat - MONDAY": "09:00-18:00"}, "2026-11-24T10:00:00+09:00", False),
        ({"tue": "23:59-23:59, , 9:05-9:06"}, "2026-11-24T09:05:59+09:00", True),
        ({"tue": "9:05-9:06"}, "2026-11-24T09:06:00+09:00", False),
        ({"tue": "9:05-9:06"}, "2026-11-24T09:04:59+09:00", False),
    ],
)
def test_hours_as_people_write_them(hours_set: dict[str, str], moment: str, working: bool) -> None:
    clerk = Employee(name="Aoi", timezone="Asia/Tokyo", working_hours=hours_set)

    assert hours.is_working_time(clerk, datetime.fromisoformat(moment)) is working


@pytest.mark.parametrize(
    ("own", "moment", "working"),
    [({}, "2026-11-24T05:30:00+09:00", True), ({"tue": "09:00-18:00"}, "2026-11-24T05:30:00+09:00", False)],
)
def test_the_companys_hours_are_for_those_without_their_own(own: dict[str, str], moment: str, working: bool) -> None:
    clerk = Employee(name="Aoi", timezone="Asia/Tokyo", working_hours=own)

    with override_settings(CONTACT_GUARD={"WORKING_HOURS": {"tue": "05:00-06:00"}}):
        assert hours.is_working_time(clerk, datetime.fromisoformat(moment)) is working


@pytest.mark.parametrize("name", ["", "Asia/Atlantis", "../etc/passwd"])
@override_settings(TIME_ZONE="Asia/Tokyo")
def test_an_invalid_time_zone_counts_as_the_projects(name: str) -> None:
    timezone.get_default_timezone.cache_clear()

    assert hours.zone(Employee(name="Aoi", timezone=name)).key == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("holidays", "moment", "working"),
    [
        (["2026-11-24"], "2026-11-24T10:00:00+09:00", False),
        (["2026-11-24"], "2026-11-25T10:00:00+09:00", True),
        (["US", "JP"], "2026-11-23T10:00:00+09:00", False),
        (["US"], "2026-11-23T10:00:00+09:00", True),
        (["US"], "2026-11-26T10:00:00+09:00", False),
        (["2026-11-27"], "2026-11-28T05:00:00+09:00", False),  # the night shift that would have begun on it
        (["2026-11-28"], "2026-11-28T05:00:00+09:00", True),  # the night shift that began the day before
    ],
)
def test_nobody_works_a_shift_that_begins_on_a_holiday(holidays: list[str], moment: str, working: bool) -> None:
    clerk = Employee(name="Aoi", timezone="Asia/Tokyo", working_hours={"mon-thu": "09:00-18:00", "fri": "22:00-06:00"})

    with override_settings(CONTACT_GUARD={"HOLIDAYS": holidays}):
        assert hours.is_working_time(clerk, datetime.fromisoformat(moment)) is working


@override_settings(CONTACT_GUARD={"HOLIDAYS": ["XX"]})
def test_an_unknown_country_is_reported() -> None:
    with pytest.raises(ConfigurationError, match="no calendar for 'XX'"):
        hours.is_holiday(date(2026, 11, 24))


@override_settings(
    CONTACT_GUARD={"HOLIDAYS": [(date(2026, 5, 1) + timedelta(days=day)).isoformat() for day in range(61)]}
)
def test_the_next_working_day_follows_a_season_of_holidays() -> None:
    """They last until the end of June; the first Thursday after them is 2 July."""
    clerk = Employee(name="Aoi", timezone="Asia/Tokyo", working_hours={"thu": "09:00-18:00"})

    day = hours.next_working_day(clerk, datetime.fromisoformat("2026-05-03T23:30:00+09:00"))

    assert hours.local_time(clerk, day, time(9)).isoformat() == "2026-07-02T09:00:00+09:00"


@pytest.mark.parametrize(
    "bad",
    [
        {"mon": "9-18"},
        {"someday": "09:00-18:00"},
        {"mon": "25:00-26:00"},
        {"mon": "24:00-24:00"},
        {"mon": "09:60-18:00"},
        {"mon": "09:00-17:60"},
        {"mon": "09:00-24:01"},
        {"mon-xyz": "09:00-18:00"},
    ],
)
def test_invalid_hours_are_reported_with_their_entry(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"Working hours"):
        hours.parse_week(bad)


def test_an_employee_without_any_working_hours_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="No working day"):
        hours.next_working_day(
            Employee(name="Nobody", working_hours={"mon": ""}), datetime.fromisoformat("2026-11-24T10:00:00+09:00")
        )

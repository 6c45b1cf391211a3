"""Working hours in the employee's own time zone."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.test import override_settings

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


@pytest.mark.parametrize("bad", [{"mon": "9-18"}, {"someday": "09:00-18:00"}, {"mon": "25:00-26:00"}])
def test_invalid_hours_are_reported_with_their_entry(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"Working hours"):
        hours.parse_week(bad)


def test_an_employee_without_any_working_hours_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="No working day"):
        hours.next_working_day(
            Employee(name="Nobody", working_hours={"mon": ""}), datetime.fromisoformat("2026-11-24T10:00:00+09:00")
        )

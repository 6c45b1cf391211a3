"""Whether an employee may be disturbed by a notice, such as an email about a new message."""

from __future__ import annotations

from datetime import datetime

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import hours


def may_disturb(employee: Employee, at: datetime, *, emergency: bool = False) -> bool:
    """Whether a notice may reach the employee at ``at`` (aware): at work, on call or on a break, or in an emergency.

    If not, it waits until ``undisturbed_until``. Raise ConfigurationError for an invalid calendar.
    """
    return emergency or hours.is_working_time(employee, at)


def undisturbed_until(employee: Employee, at: datetime) -> datetime | None:
    """Return when a notice may next reach the employee: ``at`` itself, or the start of the next shift (aware).

    None if the employee doesn't work within ``working_time.calendar.HORIZON`` days. Raise ConfigurationError.
    """
    if may_disturb(employee, at):
        return at
    with hours.unknown_calendars_named():
        return hours.working_time_of(employee).next_open(at)

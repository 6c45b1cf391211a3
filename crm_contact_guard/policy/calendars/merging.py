"""Adds the calendars that the app keeps to the working time from the host.

Of rosters for the same day, that of the page counts before that of the iCalendar file, and this before the host's.
Everything else adds up: leave, on-call duty, breaks of the host, open and closed dates.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import working_time
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.working_time.case import with_calendar


def with_kept(found: working_time.Employee, employee: Employee) -> working_time.Employee:
    """Return ``found`` with the employee's calendars and the company's dates. Raise BadCase for an invalid one."""
    if employee._state.adding:
        return found  # an employee who is only tried out has none
    rows = WorkCalendar.objects.filter(tenant=employee.tenant, owner__in=("", str(employee.pk))).order_by()
    kept = [row for row in rows if row.calendar]
    # The last one added comes first.
    kept.sort(key=lambda row: (row.source == WorkCalendar.Source.PAGE, bool(row.owner)))
    return reduce(_with, kept, found)


def _with(found: working_time.Employee, row: WorkCalendar) -> working_time.Employee:
    own = with_calendar(working_time.Employee(zone=found.zone), row.calendar, f"calendar ({row.source})")
    return replace(
        found,
        rosters=own.rosters + found.rosters,
        leave=own.leave + found.leave,
        leave_parts=own.leave_parts + found.leave_parts,
        on_call=own.on_call + found.on_call,
        open=own.open | found.open,
        closed=own.closed | found.closed,
    )

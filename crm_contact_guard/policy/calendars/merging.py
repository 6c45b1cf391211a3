"""Adds the calendars that the app keeps to the working time from the host.

Of rosters for the same day, that of the page counts before that of the iCalendar file, and this before the host's.
Everything else adds up: leave, on-call duty, breaks of the host, open and closed dates.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, reduce
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import working_time
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.working_time.case import with_calendar


def with_kept(found: working_time.Employee, employee: Employee) -> working_time.Employee:
    """Return ``found`` with the employee's calendars and the company's dates. Raise BadCase for an invalid one."""
    if employee._state.adding:
        return found  # an employee who is only tried out has none
    rows = WorkCalendar.objects.filter(tenant=employee.tenant, owner__in=("", str(employee.pk))).order_by()
    kept = list(rows.values_list("pk", "version", "source", "owner"))
    # The last one added comes first.
    kept.sort(key=lambda row: (row[2] == WorkCalendar.Source.PAGE, bool(row[3])))
    return reduce(_with, (_read(pk, version, found.zone) for pk, version, _source, _owner in kept), found)


@lru_cache(maxsize=512)
def _read(pk: UUID, version: int, zone: ZoneInfo) -> working_time.Employee:
    """Return the calendar's content. Reading a roster of a year takes as long as all the rest of a decision."""
    row = WorkCalendar.objects.get(pk=pk)
    return with_calendar(working_time.Employee(zone=zone), row.calendar, f"calendar ({row.source})")


def _with(found: working_time.Employee, own: working_time.Employee) -> working_time.Employee:
    return replace(
        found,
        rosters=own.rosters + found.rosters,
        leave=own.leave + found.leave,
        leave_parts=own.leave_parts + found.leave_parts,
        on_call=own.on_call + found.on_call,
        open=own.open | found.open,
        closed=own.closed | found.closed,
    )

"""Check working hours, calendars and holidays for invalid values, employees who never work and years without data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.crm import EmployeeRecord
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.placing import staff_within
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.report import Item, error, fine, warning
from crm_contact_guard.policy import hours, quiet_hours
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.working_time.calendar import HORIZON

TOPIC = "hours"
#: Number of keys shown.
_SHOWN = 3


def hours_items() -> Iterator[Item]:
    """Check ``HOLIDAYS`` for this year and the next, and all employees' hours as returned by the adapter.

    Calendars that the app keeps count as well, if the employee is mirrored.
    """
    now = timezone.now()
    staff = list(_staff())
    own = sorted({code for record in staff for code in _codes(record)})
    problems = hours.holiday_problems((now.year, now.year + 1), own)
    for problem in problems:
        yield warning(
            TOPIC,
            f'CONTACT_GUARD["HOLIDAYS"]: {problem}',
            "use a code of ISO 3166-1 or 3166-2 such as JP or GB-ENG; add missing days as dates, or upgrade holidays",
        )
    for problem in hours.holiday_parts(own, now.year):
        yield warning(TOPIC, problem, "docs/working_time.md")
    never = []
    known = {(row.tenant, row.key): row for row in Employee.objects.all()}
    for record in staff:
        employee = known.get((record.tenant, record.key)) or Employee(key=record.key)
        employee.timezone = record.timezone
        employee.working_hours = dict(record.working_hours or {})
        employee.calendar = dict(record.calendar or {})
        try:
            if not hours.ever_works(employee, now):
                never.append(record.key)
        except ConfigurationError as problem:
            yield error(TOPIC, f"employee {record.key}: {problem}", "docs/working_time.md")
            return
    if never:
        shown = ", ".join(never[:_SHOWN])
        yield warning(
            TOPIC,
            f"{len(never)} employees have no working time within {HORIZON} days (key {shown})",
            "all their messages count as after hours; correct hours, roster and leave in the CRM",
        )
    unread = list(_unread())
    for key, says in unread[:_SHOWN]:
        yield warning(
            TOPIC,
            f"the iCalendar roster of employee {key} can't be read: {says}",
            'correct the file or CONTACT_GUARD["ICALENDAR"]; the earlier roster stays in force until then',
        )
    unusable = list(_unusable())
    for key, says in unusable:
        yield warning(TOPIC, f"customer {key}: {says}", "until then, the setting QUIET_HOURS applies to this customer")
    if not (never or problems or unread or unusable):
        known_until = hours.holiday_sources(own)
        yield fine(TOPIC, "; ".join(["working hours, calendars and holidays can be read", *known_until]))


def _codes(record: EmployeeRecord) -> list[str]:
    """Return the holiday codes in an employee's own calendar, as far as they can be read."""
    own = (record.calendar or {}).get("holidays", [])
    return [code for code in own if isinstance(code, str)] if isinstance(own, list) else []


def _unread() -> Iterator[tuple[str, str]]:
    """Yield the key of each employee whose iCalendar roster couldn't be read the last time, and why."""
    problems = {row.owner: row.problem for row in WorkCalendar.objects.exclude(problem="")}
    for employee in Employee.objects.filter(pk__in=list(problems), active=True):
        yield employee.key, problems[str(employee.pk)]


def _unusable() -> Iterator[tuple[str, str]]:
    """Yield the keys of the first customers whose own quiet hours can't be used, and why."""
    rows = Customer.objects.filter(quiet_hours__isnull=False, active=True).order_by("pk")
    found = ((row.key or "", quiet_hours.problem(row.quiet_hours)) for row in rows.iterator(chunk_size=500))
    yield from islice(((key, says) for key, says in found if says), _SHOWN)


def _staff() -> Iterator[EmployeeRecord]:
    """Yield all active employees with a role, in all tenants."""
    adapter = crm.adapter()
    if list(adapter.problems()):
        return  # reported by the system checks; reading rows would only repeat them
    for tenant in adapter.tenants():
        with crm.tenant(tenant):
            yield from (record for record in staff_within(tenant) if record.active and record.role)

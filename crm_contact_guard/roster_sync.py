"""Reads employees' iCalendar rosters, each in a task of its own, from https URLs or files in one folder.

URLs often contain a secret, so they aren't stored, logged or shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.crm import EmployeeRecord
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting import logs
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.calendars.storing import Stale, calendar_find, calendar_store
from crm_contact_guard.policy.icalendar import MAX_BYTES, BadCalendar, Words, calendar_of
from crm_contact_guard.policy.icalendar_options import allows_private, folder, source, words
from crm_contact_guard.reading.client import Unanswered, get

logger = logs.logger(__name__)

_SECONDS: Final = 20.0
_ICALENDAR: Final = WorkCalendar.Source.ICALENDAR.value


def rosters_queue(tenant: str, staff: Mapping[UUID, EmployeeRecord]) -> None:
    """Queue the reading of the employees' rosters, and drop those of employees who no longer have a source."""
    have = [key for key, record in staff.items() if source_of(record)]
    for key in have:
        later("read_roster", str(key))
    _drop_others(tenant, {str(key) for key in have})


def _drop_others(tenant: str, have: Collection[str]) -> None:
    for row in WorkCalendar.objects.filter(tenant=tenant, source=_ICALENDAR).exclude(calendar={}):
        if row.owner not in have:
            _store(Employee.objects.get(pk=row.owner), {})


def source_of(record: EmployeeRecord) -> str:
    """Return the URL or file name of an employee's roster; empty if there is none."""
    if record.icalendar or not record.active:
        return record.icalendar if record.active else ""
    pattern = source()
    for name, value in (("{key}", record.key), ("{email}", record.email)):
        if name in pattern and not value:
            return ""
        pattern = pattern.replace(name, quote(value, safe="@"))
    return pattern


def roster_read(employee_id: UUID, *, now: datetime | None = None) -> None:
    """Read an employee's roster and store it if it changed.

    If it can't be read, the earlier one stays in force, and the calendar says why.
    """
    employee = Employee.objects.get(pk=employee_id)
    user = crm.adapter().user(employee.key)
    record = crm.adapter().employee(user) if user is not None else None
    place = source_of(record) if record is not None else ""
    if not place:
        _store(employee, {})
        return
    zone = hours.zone(employee)
    try:
        data = _fetched(place)
        today = (now or timezone.now()).astimezone(zone).date()
        calendar = calendar_of(data, zone=zone, today=today, words=Words(**words()))
    except (BadCalendar, Unanswered, OSError) as error:
        says = error.says if isinstance(error, Unanswered) else str(error) if isinstance(error, BadCalendar) else ""
        says = says or "the file can't be read"
        logger.warning("The roster of employee %s can't be used: %s", employee.pk, says)
        _store(employee, None, says)
    else:
        _store(employee, calendar)


def _store(employee: Employee, calendar: Mapping[str, Any] | None, problem: str = "") -> None:
    """Store the calendar; None keeps the earlier one. If another worker stored one at the same time, keep that."""
    row = calendar_find(employee.tenant, employee, _ICALENDAR)
    if row is None and not calendar and not problem:
        return
    kept = row.calendar if row is not None else {}
    try:
        calendar_store(
            tenant=employee.tenant,
            owner=employee,
            source=_ICALENDAR,
            calendar=kept if calendar is None else calendar,
            version=row.version if row is not None else 0,
            problem=problem,
        )
    except Stale:
        logger.info("The roster of employee %s was stored by another worker", employee.pk)


def _fetched(place: str) -> bytes:
    if "://" in place:
        if urlsplit(place).scheme != "https":
            raise Unanswered("scheme", "the address isn't https")
        return get(place, {"Accept": "text/calendar"}, seconds=_SECONDS, largest=MAX_BYTES, refuse=_refusal)
    root = folder()
    path = (root / place).resolve() if root is not None else Path()
    if root is None or not path.is_relative_to(root.resolve()) or not path.is_file():
        raise Unanswered("no_file", "there is no such file in the folder")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _refusal(address: IPv4Address | IPv6Address) -> str:
    """Return why an address isn't asked for a roster; empty if it may be."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return "leads to an address that isn't a server's"
    return "" if address.is_global or allows_private() else "leads to a private address"

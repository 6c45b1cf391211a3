"""Enters and removes entries of the calendars that supervisors and compliance officers keep on a page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.rights import may_enter_hours
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.calendars.entries import (
    FOR_COMPANY,
    FOR_EMPLOYEE,
    PAST,
    ends_on,
    entry_of,
    overlaps,
)
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.calendars.storing import Stale, calendar_find, calendar_store

_PAGE: Final = WorkCalendar.Source.PAGE.value
#: Entries of one kind that a calendar may have.
MOST: Final = 500


def entries(calendar: Mapping[str, Any], kind: str) -> list[Any]:
    """Return a calendar's entries of one kind."""
    return list(calendar.get(kind, []))


def calendar_enter(
    *, actor: Employee, tenant: str, owner: Employee | None, kind: str, given: Mapping[str, str], version: int
) -> None:
    """Add an entry to the calendar of an employee, or of the company if ``owner`` is None. Old entries are dropped.

    ``version`` is the version of the calendar that ``actor`` saw; 0 if there was none. Raise NotPermitted,
    InvalidMessage (which names the field), or NotPossible if somebody else changed the calendar.
    """
    kept = _opened(actor, tenant, owner, kind)
    today = _today(owner)
    entry = entry_of(kind, given, today=today)
    known = entries(kept, kind)
    if any(overlaps(kind, entry, other) for other in known):
        raise InvalidMessage(_("This overlaps with an entry below. Remove that one first."), field="first")
    recent = [one for one in known if ends_on(kind, one) >= today - timedelta(days=PAST)]
    if len(recent) >= MOST:
        raise InvalidMessage(_("There are too many entries. Remove some first."), field="first")
    ordered = sorted([*recent, entry], key=lambda one: one["from"] if isinstance(one, dict) else one)
    _store(actor, tenant, owner, {**kept, kind: ordered}, version)


def calendar_remove(
    *, actor: Employee, tenant: str, owner: Employee | None, kind: str, number: int, version: int
) -> None:
    """Remove the entry with this number, counted from 0. See ``calendar_enter``."""
    kept = _opened(actor, tenant, owner, kind)
    known = entries(kept, kind)
    if not 0 <= number < len(known):
        raise NotPossible(_("Somebody else changed this calendar. Look at it again."))
    del known[number]
    calendar = {name: value for name, value in {**kept, kind: known}.items() if value}
    _store(actor, tenant, owner, calendar, version)


def _opened(actor: Employee, tenant: str, owner: Employee | None, kind: str) -> Mapping[str, Any]:
    if not may_enter_hours(actor, owner, tenant):
        raise NotPermitted(_("Working time is entered by the team's supervisor or a compliance officer."))
    if kind not in (FOR_EMPLOYEE if owner is not None else FOR_COMPANY):
        raise InvalidMessage(_("Choose what to enter."), field="kind")
    row = calendar_find(tenant, owner, _PAGE)
    return row.calendar if row is not None else {}


def _today(owner: Employee | None) -> date:
    zone = hours.zone(owner) if owner is not None else timezone.get_default_timezone()
    return timezone.now().astimezone(zone).date()


def _store(actor: Employee, tenant: str, owner: Employee | None, calendar: Mapping[str, Any], version: int) -> None:
    try:
        calendar_store(tenant=tenant, owner=owner, source=_PAGE, calendar=calendar, version=version, author=actor)
    except Stale:
        raise NotPossible(_("Somebody else changed this calendar. Look at it again.")) from None

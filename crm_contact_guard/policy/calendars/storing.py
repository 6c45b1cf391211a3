"""Stores a calendar's next version and records it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.record.recording import record_event


class Stale(Exception):
    """Somebody else stored another version in the meantime."""


def calendar_find(tenant: str, owner: Employee | None, source: str) -> WorkCalendar | None:
    """Return the calendar of an employee, or of the company if ``owner`` is None, from one source."""
    return WorkCalendar.objects.filter(tenant=tenant, owner=_key(owner), source=source).first()


@database.atomic()
def calendar_store(
    *,
    tenant: str,
    owner: Employee | None,
    source: str,
    calendar: Mapping[str, Any],
    version: int,
    author: Employee | None = None,
    problem: str = "",
) -> None:
    """Store and record a calendar unless it is the same. ``version`` is the one that was read; 0 if there was none.

    ``author`` is the person who entered it, whose permission the caller checks. Raise Stale.
    """
    now = timezone.now()
    given = {"calendar": dict(calendar), "problem": problem[:500], "changed_at": now, "changed_by": author}
    row = calendar_find(tenant, owner, source)
    if row is not None and (dict(calendar), problem[:500]) == (row.calendar, row.problem):
        return
    if row is None:
        if version:
            raise Stale
        row, is_new = WorkCalendar.objects.get_or_create(
            tenant=tenant, owner=_key(owner), source=source, defaults=given
        )
        if not is_new:
            raise Stale
        _record(row, "calendar.created", author)
        return
    rows = WorkCalendar.objects.filter(pk=row.pk, version=version)
    if not rows.update(**given, version=version + 1):
        raise Stale
    row.refresh_from_db()
    _record(row, "calendar.changed", author)


def _key(owner: Employee | None) -> str:
    return str(owner.pk) if owner is not None else ""


def _record(row: WorkCalendar, kind: str, actor: Employee | None) -> None:
    record_event(
        kind=kind,
        subject_type="calendar",
        subject_id=row.pk,
        by=actor,
        tenant=row.tenant,
        row=row,
    )

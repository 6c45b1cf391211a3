"""Keeps unusual readings: one for each reader, day and sort, however often and by however many workers it is found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.watching import looking
from crm_contact_guard.supervision.watching.looking import Found
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.telling import reading_tell

#: Maximum number of views kept as evidence.
MOST: Final = 200


def readings_watch() -> int:
    """Look for unusual reading today and yesterday. Return the number of readings found or extended.

    Can safely run twice and concurrently.
    """
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    days = looking.days_of(today - timedelta(days=1), today)
    people = {str(one.pk): one for one in Employee.objects.filter(pk__in=_ids(days))}
    return sum(
        _keep(people[actor], day, found)
        for (actor, day), views in days.items()
        if actor in people
        for found in looking.find(people[actor], day, views)
    )


@database.atomic()
def _keep(reader: Employee, day: date, found: Found) -> bool:
    known = UnusualReading.objects.select_for_update().filter(reader=reader, day=day, sort=found.sort).first()
    if known is not None:
        return _extend(known, found)
    now = timezone.now()
    row = UnusualReading(
        tenant=reader.tenant,
        reader=reader,
        day=day,
        sort=found.sort,
        severity=found.severity,
        evidence=[str(view.event) for view in found.views[:MOST]],
        times=found.talks,
        opened_at=now,
        updated_at=now,
    )
    rows = UnusualReading.objects.filter(reader=reader, day=day, sort=found.sort)
    with insert_once(rows.first) as insertion:
        row.save(force_insert=True)
        record(row, None, "unusual_reading.found")
        reading_tell(row)
    return insertion.is_first


def _extend(row: UnusualReading, found: Found) -> bool:
    """Add evidence. A closed row is opened again by what was read after the close."""
    known = set(row.evidence)
    new = [view for view in found.views if str(view.event) not in known]
    if row.closed_at is not None:
        new = [view for view in new if view.at > row.closed_at]
    evidence = [*row.evidence, *(str(view.event) for view in new)][:MOST]
    severity = max(row.severity, found.severity)
    if not new or (evidence == row.evidence and severity == row.severity and row.closed_at is None):
        return False
    row.evidence, row.severity, row.times = evidence, severity, max(row.times, found.talks)
    row.updated_at = timezone.now()
    reopened = row.state == UnusualReading.State.CLOSED
    row.state, row.resolution, row.closed_by, row.closed_at = UnusualReading.State.OPEN, "", None, None
    row.save()
    record(row, None, "unusual_reading.recurred" if reopened else "unusual_reading.extended")
    if reopened:
        reading_tell(row)
    return True


def record(
    row: UnusualReading,
    by: Employee | None,
    kind: str,
    *,
    data: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Record a step. ``by`` is None for the system."""
    record_event(
        kind=kind,
        subject_type="unusual_reading",
        subject_id=row.pk,
        by=by,
        tenant=row.tenant,
        data=data,
        reason=reason,
        row=row,
    )


def _ids(days: Mapping[tuple[str, date], object]) -> list[UUID]:
    found = []
    for actor, _day in days:
        try:
            found.append(UUID(actor))
        except ValueError:
            continue
    return found

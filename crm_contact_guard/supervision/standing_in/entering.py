"""Entering that somebody who supervises is away and who stands in, and ending an absence early.

Rights follow from the rows alone (``directory.rights.watched_teams``), so they begin and end on time even if no task
runs.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Absence, Employee, Role
from crm_contact_guard.directory.rights import may_enter_absence, sees_all
from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import hours
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.standing_in.telling import ended_tell, entered_tell

LONGEST: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)


def absences(viewer: Employee) -> QuerySet[Absence]:
    """Return the absences that aren't over: the viewer's, those in which the viewer stands in, or for officers all."""
    rows = Absence.objects.filter(tenant=viewer.tenant, ends_at__gt=timezone.now()).filter(ends_at__gt=F("starts_at"))
    if not viewer.active:
        return rows.none()
    mine = rows if sees_all(viewer) else rows.filter(Q(person=viewer) | Q(stand_in=viewer))
    return mine.select_related("person", "stand_in").order_by("starts_at", "pk")


def stand_ins(person: Employee) -> QuerySet[Employee]:
    """Return who may stand in for a person. For compliance officers, who see everything, only another one may."""
    rows = Employee.objects.filter(tenant=person.tenant, active=True).exclude(pk=person.pk)
    if person.role == Role.COMPLIANCE:
        return rows.filter(role=Role.COMPLIANCE)
    return rows.exclude(role=Role.AUDITOR)


def leave_ahead(person: Employee) -> list[tuple[date, date]]:
    """Return the first and last days of leave in the person's calendars that isn't over, without entered absences."""
    now = timezone.now()
    zone = hours.zone(person)
    try:
        found = hours.working_time_of(person).leave
    except ConfigurationError:
        return []
    entered = list(Absence.objects.filter(person=person, ends_at__gt=now))
    today = now.astimezone(zone).date()
    return [
        (first, last)
        for first, last in sorted(set(found))
        if last >= today and not any(_overlaps(one, *_bounds(person, first, last)) for one in entered)
    ]


@database.atomic()
def absence_enter(*, actor: Employee, person: UUID, stand_in: UUID, first: date, last: date) -> Absence:
    """Enter that a person is away from ``first`` through ``last``, in the person's time zone, and who stands in.

    An absence that starts today starts now. The stand-in is told. Raise NotPermitted, or InvalidMessage for unusable
    days or somebody who can't stand in.
    """
    # The rows serve as locks, so that two absences entered at once can't overlap. Sorted, to avoid deadlocks.
    people = {
        one.pk: one for one in Employee.objects.select_for_update().filter(pk__in=[person, stand_in]).order_by("pk")
    }
    away = people.get(person)
    if away is None or not may_enter_absence(actor, away):
        raise NotPermitted(_("You can't enter absences of this person."))
    starts_at, ends_at = _span(away, first, last)
    if not stand_ins(away).filter(pk=stand_in).exists():
        raise InvalidMessage(_("This person can't stand in."), field="stand_in")
    overlapping = Absence.objects.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
    if overlapping.filter(person=away).exists():
        raise InvalidMessage(_("An absence is entered for some of these days already."), field="first")
    if overlapping.filter(person=stand_in).exists():
        raise InvalidMessage(_("This person is away on some of these days, too."), field="stand_in")
    row = Absence.objects.create(
        tenant=away.tenant,
        person=away,
        stand_in=people[stand_in],
        starts_at=starts_at,
        ends_at=ends_at,
        entered_by=actor,
    )
    _record(row, "absence.entered", actor)
    entered_tell(row)
    return row


def may_end(viewer: Employee, absence: Absence) -> bool:
    """Whether the viewer may end an absence: the person, whoever stands in, and compliance officers."""
    if not viewer.active or viewer.tenant != absence.tenant or viewer.role == Role.AUDITOR:
        return False
    return viewer.role == Role.COMPLIANCE or viewer.pk in (absence.person_id, absence.stand_in_id)


@database.atomic()
def absence_end(*, actor: Employee, absence_id: UUID) -> Absence:
    """End an absence now, or withdraw one that hasn't begun. Both are told. Ending it again has no effect."""
    row = Absence.objects.select_for_update().filter(pk=absence_id).first()
    if row is None or not may_end(actor, row):
        raise NotPermitted(_("You can't end this absence."))
    now = timezone.now()
    if row.ends_at <= now or row.ends_at <= row.starts_at:
        return row
    row.ends_at = max(now, row.starts_at)
    row.save(update_fields=["ends_at"])
    _record(row, "absence.ended", actor)
    ended_tell(row, by=actor)
    return row


def _span(person: Employee, first: date, last: date) -> tuple[datetime, datetime]:
    now = timezone.now()
    if last < first:
        raise InvalidMessage(_("The last day is before the first."), field="last")
    if first < now.astimezone(hours.zone(person)).date():
        raise InvalidMessage(_("The first day is in the past."), field="first")
    if last - first > LONGEST or first > now.date() + LONGEST:
        raise InvalidMessage(_("Choose days within a year."), field="last")
    starts_at, ends_at = _bounds(person, first, last)
    return max(now, starts_at), ends_at


def _bounds(person: Employee, first: date, last: date) -> tuple[datetime, datetime]:
    return hours.local_time(person, first, time()), hours.local_time(person, last + _DAY, time())


def _overlaps(one: Absence, starts_at: datetime, ends_at: datetime) -> bool:
    return one.starts_at < ends_at and one.ends_at > starts_at


def _record(row: Absence, kind: str, actor: Employee) -> None:
    record_event(
        kind=kind,
        subject_type="absence",
        subject_id=row.pk,
        by=actor,
        tenant=row.tenant,
        row=row,
    )

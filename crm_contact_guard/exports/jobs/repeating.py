"""Exports that are repeated each week or month. Each run is an export of the person who asked, with their purpose.

A week begins on Monday and a month on its first day, at midnight in the project's time zone. After an outage, each
missed period gets its own run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import requesting, rights
from crm_contact_guard.exports.jobs.models import ExportSchedule
from crm_contact_guard.exports.profiles import Profile
from crm_contact_guard.hosting import database, logs
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event

logger = logs.logger(__name__)

#: How many repeated exports one person may have.
MOST: Final = 10
_Period = ExportSchedule.Period


@database.atomic()
def schedule_make(
    *,
    actor: Employee,
    period: str,
    purpose: str,
    filters: Filters,
    formats: Sequence[str] = (),
    profile: str = Profile.MASKED,
    attachments: bool = True,
) -> ExportSchedule:
    """Repeat an export each ``period``. The first run is at the end of the present one.

    Raise NotPermitted; or InvalidMessage for the same reasons as ``export_request``, if the period is unknown, if the
    filters have times of their own, or if the actor has too many.
    """
    asked = requesting.checked(
        actor=actor, purpose=purpose, filters=filters, formats=formats, profile=profile, attachments=attachments
    )
    if period not in _Period.values:
        raise InvalidMessage(_("Choose how often."), field="repeat")
    if filters.occurred_from is not None or filters.occurred_before is not None:
        raise InvalidMessage(_("A repeated export is about the last period, so leave the days empty."), field="repeat")
    if ExportSchedule.objects.filter(made_by=actor, ended_at=None).count() >= MOST:
        raise InvalidMessage(_("You have too many repeated exports. End one."), field="repeat")
    now = timezone.now()
    schedule = ExportSchedule.objects.create(
        **asked, made_by=actor, made_at=now, period=period, next_at=_bounds(period, now)[1]
    )
    _record(schedule, "export_schedule.made", actor)
    return schedule


@database.atomic()
def schedule_end(*, schedule_id: UUID, actor: Employee) -> ExportSchedule:
    """End a repeated export. Raise NotPermitted, or NotPossible if it has ended."""
    schedule = schedules(actor).filter(pk=schedule_id).first()
    if schedule is None or not rights.may_end(actor, schedule):
        raise NotPermitted(_("You may not end this repeated export."))
    if not ExportSchedule.objects.filter(pk=schedule_id, ended_at=None).update(ended_at=timezone.now()):
        raise NotPossible(_("This repeated export has already ended."))
    schedule.refresh_from_db()
    _record(schedule, "export_schedule.ended", actor)
    return schedule


def schedules(viewer: Employee) -> QuerySet[ExportSchedule]:
    """Return the repeated exports that the viewer may see: all in the tenant, for those who read the record."""
    rows = ExportSchedule.objects.filter(tenant=viewer.tenant)
    return rows if rights.may_read_exports(viewer) else rows.none()


def run_due() -> int:
    """Ask for the exports that are due. Return how many."""
    now = timezone.now()
    rows = ExportSchedule.objects.filter(ended_at=None, next_at__lte=now).order_by("next_at", "pk")
    return sum(_run(schedule) for schedule in rows.select_related("made_by")[:200])


def _run(schedule: ExportSchedule) -> bool:
    try:
        with database.atomic():
            return _asked(schedule)
    except InvalidMessage as error:
        # Such as too many unfinished exports. It stays due.
        logger.warning("Repeated export %s waits: %s", schedule.pk, error)
    except NotPermitted as error:
        _end(schedule, str(error))
    return False


def _asked(schedule: ExportSchedule) -> bool:
    """Ask for the export of the period that ended at ``next_at``. The UPDATE decides which of two workers does."""
    due = schedule.next_at
    mine = ExportSchedule.objects.filter(pk=schedule.pk, ended_at=None, next_at=due)
    if not mine.update(next_at=_bounds(schedule.period, due)[1]):
        return False
    begin = _bounds(schedule.period, due - timedelta(days=1))[0]
    job = requesting.export_request(
        actor=schedule.made_by,
        purpose=schedule.purpose,
        filters=replace(
            Filters.of(json.loads(schedule.filters)), occurred_from=begin, occurred_before=timezone.localtime(due)
        ),
        formats=[name for name in schedule.formats.split(",") if name],
        profile=schedule.profile,
        attachments=schedule.attachments,
    )
    schedule.refresh_from_db()
    _record(schedule, "export_schedule.ran", None, {"job": str(job.pk)})
    return True


@database.atomic()
def _end(schedule: ExportSchedule, why: str) -> None:
    if ExportSchedule.objects.filter(pk=schedule.pk, ended_at=None).update(ended_at=timezone.now(), remark=why):
        schedule.refresh_from_db()
        _record(schedule, "export_schedule.ended", None)


def _bounds(period: str, at: datetime) -> tuple[datetime, datetime]:
    """Return the beginning of the period that contains ``at``, and of the next one."""
    day = timezone.localtime(at).date()
    if period == _Period.WEEKLY:
        first = day - timedelta(days=day.weekday())
        following = first + timedelta(days=7)
    else:
        first = day.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
    begin, end = (timezone.make_aware(datetime.combine(one, time())) for one in (first, following))
    return begin, end


def _record(schedule: ExportSchedule, kind: str, actor: Employee | None, data: dict[str, str] | None = None) -> None:
    record_event(
        kind=kind,
        subject_type="export_schedule",
        subject_id=schedule.pk,
        actor_type=Event.ActorType.EMPLOYEE if actor else Event.ActorType.SYSTEM,
        actor=actor.pk if actor else "",
        tenant=schedule.tenant,
        data=data,
        row=schedule,
    )

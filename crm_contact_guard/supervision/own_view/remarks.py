"""Employees comment on alerts that concern them, or contest them; the reviewer answers. Every step is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import listing
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.seeing import own_flags
from crm_contact_guard.supervision.own_view.telling import contest_tell
from crm_contact_guard.supervision.review import alert_reopen, written
from crm_contact_guard.supervision.rights import alerts, may_review

#: Number of remarks that an employee can make on one alert.
MOST = 20


@database.atomic()
def flag_remark(*, alert_id: UUID, actor: Employee, kind: str, text: str) -> FlagRemark:
    """Comment on an alert that concerns the actor, or contest it.

    Only one contest at a time waits for an answer. Raise NotPermitted if the actor may not see the alert, AlreadyClosed
    if a contest is waiting, or InvalidMessage.
    """
    alert = Alert.objects.select_for_update().get(pk=alert_id)
    if not own_flags(actor).filter(pk=alert.pk).exists():
        raise NotPermitted(_("This isn't about you, or it is still being looked at."))
    if kind not in FlagRemark.Kind.values:
        raise InvalidMessage(_("Choose a comment or a contest."), field="kind")
    text = written(text, "text")
    if not text:
        raise InvalidMessage(_("Write a few words first."), field="text")
    rows = FlagRemark.objects.filter(alert=alert)
    if kind == FlagRemark.Kind.CONTEST and rows.filter(kind=kind, answered_at=None).exists():
        raise AlreadyClosed(_("You have already disagreed; the answer is still to come."))
    if rows.count() >= MOST:
        raise InvalidMessage(_("There are enough remarks here. Please talk to your supervisor."), field="text")
    row = FlagRemark.objects.create(alert=alert, employee=actor, kind=kind, made_at=timezone.now())
    _event(row, "flag_remark.made", actor, text)
    if kind == FlagRemark.Kind.CONTEST:
        contest_tell(row)
    return row


@database.atomic()
def contest_answer(*, remark_id: UUID, reviewer: Employee, outcome: str, text: str) -> FlagRemark:
    """Answer a contest: keep the alert's end, or open the alert again. ``text`` says why, and the employee reads it.

    Raise NotPermitted, AlreadyClosed if it was answered, or InvalidMessage.
    """
    row = FlagRemark.objects.select_for_update().get(pk=remark_id)
    if not may_review(reviewer, row.alert):
        raise NotPermitted(_("You can't work on this alert."))
    if outcome not in FlagRemark.Outcome.values:
        raise InvalidMessage(_("Choose an answer."), field="outcome")
    text = written(text, "text")
    if not text:
        raise InvalidMessage(_("Say why, so that the employee understands."), field="text")
    if row.kind != FlagRemark.Kind.CONTEST or row.answered_at is not None:
        raise AlreadyClosed(_("This has been answered."))
    if outcome == FlagRemark.Outcome.REOPENED and row.alert.status == Alert.Status.CLOSED:
        alert_reopen(alert_id=row.alert_id, reviewer=reviewer, reason=text)
    row.outcome, row.answered_by, row.answered_at = outcome, reviewer, timezone.now()
    row.save()
    _event(row, "flag_remark.answered", reviewer, text)
    listing.settled("flag_remark", row.pk)
    return row


def contested(viewer: Employee) -> QuerySet[FlagRemark]:
    """Return the contests that wait for an answer by somebody who sees the alert, oldest first."""
    rows = FlagRemark.objects.filter(kind=FlagRemark.Kind.CONTEST, answered_at=None, alert__in=alerts(viewer))
    return rows.select_related("alert__concerned", "alert__conversation__customer").order_by("made_at")


def words(remarks: Iterable[FlagRemark]) -> dict[UUID, tuple[str, str]]:
    """Return what was written and what was answered, by the remark's ID; "" after an erasure."""
    found: dict[UUID, tuple[str, str]] = {remark.pk: ("", "") for remark in remarks}
    events = Event.objects.filter(subject_type="flag_remark", subject_id__in=[str(key) for key in found])
    for event in events.order_by("recorded_at", "pk"):
        key, text = UUID(event.subject_id), event.reason or ""
        made, answered = found[key]
        found[key] = (text, answered) if event.kind == "flag_remark.made" else (made, text)
    return found


def _event(row: FlagRemark, kind: str, by: Employee, text: str) -> None:
    record_event(
        kind=kind,
        subject_type="flag_remark",
        subject_id=row.pk,
        by=by,
        conversation=row.alert.conversation,
        reason=text,
        row=row,
    )

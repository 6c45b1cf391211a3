"""Answer and close consultations, and record what is done. The texts are in the events and can be erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.recording import checked_words, record_step
from crm_contact_guard.supervision.consulting.rights import consultations, may_help
from crm_contact_guard.supervision.consulting.telling import step_tell


@database.atomic()
def consultation_reply(
    *, consultation_id: UUID, actor: Employee, text: str, follow_up_at: datetime | None = None
) -> Consultation:
    """Add a reply, which opens a closed consultation again, and set a date to look at it again.

    Only those who help set the date. Raise NotPermitted, or InvalidMessage if there is neither text nor date, the text
    is too long or the date has passed.
    """
    row = _part(consultation_id, actor)
    text = checked_words(text)
    helps = may_help(actor, row)
    if not text and follow_up_at is None:
        raise InvalidMessage(_("Write a few words first."), field="text")
    now = timezone.now()
    if follow_up_at is not None:
        if not helps:
            raise NotPermitted(_("Whoever helps you sets the date."))
        if follow_up_at <= now:
            raise InvalidMessage(_("Choose a date that is still to come."), field="follow_up_at")
        row.follow_up_at, row.reminded = follow_up_at, False
    if text and row.status == Consultation.Status.CLOSED:
        row.status, row.result, row.closed_at = Consultation.Status.OPEN, "", None
    row.updated_at = now
    row.save()
    dated = {"follow_up_at": follow_up_at.isoformat()} if follow_up_at is not None else {}
    event = record_step(row, "consultation.replied", actor, data=dated, reason=text)
    if text:
        step_tell(row, row.employee if helps else row.addressee, event)
    return row


@database.atomic()
def consultation_close(*, consultation_id: UUID, actor: Employee, result: str, text: str = "") -> Consultation:
    """Close a consultation with a result. Repeating the call has no effect.

    The employee can close it, too, as settled. Raise NotPermitted, AlreadyClosed if it ended in another way, or
    InvalidMessage.
    """
    row = _part(consultation_id, actor)
    if result not in Consultation.Result.values:
        raise InvalidMessage(_("Choose how it ended."), field="result")
    helps = may_help(actor, row)
    if not helps and result != Consultation.Result.SETTLED:
        raise NotPermitted(_("You can close it as settled. The other results are for whoever helps you."))
    text = checked_words(text)
    if row.status == Consultation.Status.CLOSED:
        if row.result == result:
            return row
        raise AlreadyClosed(_("This consultation is already closed."))
    now = timezone.now()
    row.status, row.result, row.closed_at, row.updated_at = Consultation.Status.CLOSED, result, now, now
    row.save()
    event = record_step(row, "consultation.closed", actor, data={"result": result}, reason=text)
    step_tell(row, row.employee if helps else row.addressee, event)
    return row


@database.atomic()
def consultation_step(
    row: Consultation, *, taken_by: Employee, step: str, data: Mapping[str, Any], reason: str = ""
) -> None:
    """Record a measure that was taken. ``step`` names it, ``reason`` says why.

    Raise NotPermitted if ``taken_by`` doesn't help in this consultation.
    """
    row = _part(row.pk, taken_by)
    if not may_help(taken_by, row):
        raise NotPermitted(_("Whoever helps you takes the steps."))
    row.updated_at = timezone.now()
    row.save()
    event = record_step(row, "consultation.step", taken_by, data={"step": step, **data}, reason=reason)
    step_tell(row, row.employee, event)


@database.atomic()
def follow_ups_remind(limit: int = 200) -> list[UUID]:
    """Queue a reminder for each open consultation whose date has come. Return their IDs."""
    now = timezone.now()
    rows = Consultation.objects.filter(status=Consultation.Status.OPEN, follow_up_at__lte=now, reminded=False)
    told = []
    for row in rows.select_related("conversation", "addressee").order_by("follow_up_at")[:limit]:
        if rows.filter(pk=row.pk).update(reminded=True):
            row.reminded = True
            event = record_step(row, "consultation.follow_up_due", None)
            step_tell(row, row.addressee, event)
            told.append(row.pk)
    return told


def consultation_history(row: Consultation) -> list[Event]:
    """Return the recorded steps, oldest first. Their ``reason`` is what was written; None after an erasure."""
    events = Event.objects.filter(subject_type="consultation", subject_id=str(row.pk))
    return list(events.order_by("recorded_at", "id"))


def _part(consultation_id: UUID, actor: Employee) -> Consultation:
    """Return the consultation, locked. Raise NotPermitted if the actor has no part in it."""
    # Without a join: PostgreSQL can't lock the nullable side of one.
    row = Consultation.objects.select_for_update().get(pk=consultation_id)
    if not consultations(actor).filter(pk=row.pk).exists():
        raise NotPermitted(_("You have no part in this consultation."))
    return row

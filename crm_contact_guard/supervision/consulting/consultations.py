"""Open, answer and close consultations. Each step is recorded; the texts are in the events and can be erased.

A consultation creates no finding and no alert, and no other rule reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.consulting.models import Consultation, ConsultationNotice
from crm_contact_guard.supervision.consulting.notices import queue
from crm_contact_guard.supervision.consulting.rights import consultations, may_consult, may_help
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.routing import addressee

MAX_WORDS = 4000
#: Number of messages that a consultation can name.
MAX_MESSAGES = 50
About = ConsultationNotice.About


@database.atomic()
def consultation_open(
    *,
    conversation: Conversation,
    actor: Employee,
    words: str = "",
    wish: str = Consultation.Wish.ADVICE,
    messages: Iterable[UUID] = (),
    findings: Iterable[UUID] = (),
    to_compliance: bool = False,
) -> Consultation:
    """Open a consultation for whoever answers in the conversation, or for its employee if a supervisor calls this.

    If the employee already has an open one about the conversation, add to it, so that a second click does no harm.
    ``messages`` and ``findings`` must belong to the conversation. Raise NotPermitted or InvalidMessage.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if not may_consult(actor, conversation):
        raise NotPermitted(_("You can't ask for help about this conversation."))
    if wish not in Consultation.Wish.values:
        raise InvalidMessage(_("Choose what would help you."), field="wish")
    words = _words(words)
    employee, origin = _for_whom(actor, conversation)
    row = _standing(conversation, employee)
    evidence = _messages(conversation, messages), _findings(conversation, findings)
    # A supervisor can't see one that went to compliance, and doesn't learn of it here either.
    if row is not None and consultations(actor).filter(pk=row.pk).exists():
        return _added(row, *evidence, actor=actor, words=words)
    return _opened(
        conversation,
        employee,
        evidence,
        origin=origin,
        actor=actor,
        words=words,
        wish=wish,
        to_compliance=to_compliance,
    )


@database.atomic()
def consultation_noticed(
    *, conversation: Conversation, origin: str, messages: Iterable[UUID], findings: Iterable[UUID] = ()
) -> Consultation | None:
    """Open a consultation because of what a customer wrote, or add to an open one. Return None if nobody answers.

    The supervisor is told, and so is the employee, who needn't do anything. Repeating the call has no effect.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if conversation.employee is None:
        return None
    evidence = _messages(conversation, messages), _findings(conversation, findings)
    row = _standing(conversation, conversation.employee)
    if row is not None:
        return _added(row, *evidence)
    known = Consultation.objects.filter(conversation=conversation, employee=conversation.employee)
    if any(set(evidence[0]) <= set(earlier.messages) for earlier in known):
        return None  # seen before, and closed by a person
    return _opened(conversation, conversation.employee, evidence, origin=origin)


@database.atomic()
def consultation_reply(
    *, consultation_id: UUID, actor: Employee, text: str, follow_up_at: datetime | None = None
) -> Consultation:
    """Add a reply, which opens a closed consultation again, and set a date to look at it again.

    Only those who help set the date. Raise NotPermitted, or InvalidMessage if there is neither text nor date, the text
    is too long or the date has passed.
    """
    row = _part(consultation_id, actor)
    text = _words(text)
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
    _event(row, "consultation.replied", actor, data=dated, reason=text)
    if text:
        _tell(row, row.employee if helps else row.addressee, About.REPLIED)
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
    text = _words(text)
    if row.status == Consultation.Status.CLOSED:
        if row.result == result:
            return row
        raise AlreadyClosed(_("This consultation is already closed."))
    now = timezone.now()
    row.status, row.result, row.closed_at, row.updated_at = Consultation.Status.CLOSED, result, now, now
    row.save()
    _event(row, "consultation.closed", actor, data={"result": result}, reason=text)
    _tell(row, row.employee if helps else row.addressee, About.CLOSED)
    return row


def consultation_step(row: Consultation, *, taken_by: Employee, step: str, data: Mapping[str, Any]) -> None:
    """Record a measure that was taken. ``step`` names it. Call this in the transaction of the measure.

    Raise NotPermitted if ``taken_by`` doesn't help in this consultation.
    """
    row = _part(row.pk, taken_by)
    if not may_help(taken_by, row):
        raise NotPermitted(_("Whoever helps you takes the steps."))
    row.updated_at = timezone.now()
    row.save()
    _event(row, "consultation.step", taken_by, data={"step": step, **data})
    _tell(row, row.employee, About.REPLIED)


@database.atomic()
def follow_ups_remind(limit: int = 200) -> list[UUID]:
    """Queue a reminder for each open consultation whose date has come. Return their IDs."""
    now = timezone.now()
    rows = Consultation.objects.filter(status=Consultation.Status.OPEN, follow_up_at__lte=now, reminded=False)
    told = []
    for row in rows.select_related("conversation", "addressee").order_by("follow_up_at")[:limit]:
        if rows.filter(pk=row.pk).update(reminded=True):
            row.reminded = True
            _event(row, "consultation.follow_up_due", None)
            _tell(row, row.addressee, About.FOLLOW_UP)
            told.append(row.pk)
    return told


def consultation_history(row: Consultation) -> list[Event]:
    """Return the recorded steps, oldest first. Their ``reason`` is what was written; None after an erasure."""
    events = Event.objects.filter(subject_type="consultation", subject_id=str(row.pk))
    return list(events.order_by("recorded_at", "id"))


def _for_whom(actor: Employee, conversation: Conversation) -> tuple[Employee, str]:
    if conversation.employee is not None and conversation.employee_id != actor.pk:
        return conversation.employee, Consultation.Origin.SUPERVISOR
    return actor, Consultation.Origin.EMPLOYEE


def _standing(conversation: Conversation, employee: Employee) -> Consultation | None:
    rows = Consultation.objects.filter(
        conversation=conversation, employee=employee, status=Consultation.Status.OPEN
    ).select_related("conversation", "employee", "addressee")
    return rows.order_by("opened_at").first()


def _opened(
    conversation: Conversation,
    employee: Employee,
    evidence: tuple[list[str], list[str]],
    *,
    origin: str,
    actor: Employee | None = None,
    words: str = "",
    wish: str = "",
    to_compliance: bool = False,
) -> Consultation:
    now = timezone.now()
    person = _compliance(employee) if to_compliance else addressee(conversation)
    if person is not None and person.pk == employee.pk:
        person = _compliance(employee)
    row = Consultation.objects.create(
        tenant=conversation.tenant,
        conversation=conversation,
        employee=employee,
        team=conversation.team,
        addressee=person,
        to_compliance=to_compliance,
        origin=origin,
        wish=wish,
        messages=evidence[0],
        findings=evidence[1],
        opened_at=now,
        updated_at=now,
    )
    _event(row, "consultation.opened", actor, reason=words)
    if actor is None or actor.pk != row.addressee_id:
        _tell(row, row.addressee, About.OPENED)
    if actor is None or actor.pk != employee.pk:
        _tell(row, employee, About.SEEN)
    return row


def _added(
    row: Consultation, messages: list[str], findings: list[str], *, actor: Employee | None = None, words: str = ""
) -> Consultation:
    fresh = [key for key in messages if key not in row.messages], [key for key in findings if key not in row.findings]
    if not any(fresh) and not words:
        return row
    row.messages = [*row.messages, *fresh[0]][-MAX_MESSAGES:]
    row.findings = [*row.findings, *fresh[1]][-MAX_MESSAGES:]
    row.updated_at = timezone.now()
    row.save()
    _event(row, "consultation.added", actor, data={"messages": fresh[0]}, reason=words)
    if words and actor is not None:
        _tell(row, row.addressee if actor.pk == row.employee_id else row.employee, About.REPLIED)
    return row


def _compliance(employee: Employee) -> Employee | None:
    officers = Employee.objects.filter(tenant=employee.tenant, role=Role.COMPLIANCE, active=True)
    return officers.exclude(pk=employee.pk).first()


def _messages(conversation: Conversation, keys: Iterable[UUID]) -> list[str]:
    wanted = list(dict.fromkeys(keys))[:MAX_MESSAGES]
    rows = Message.objects.filter(conversation=conversation, pk__in=wanted)
    found = [str(key) for key in rows.order_by("occurred_at", "pk").values_list("pk", flat=True)]
    if len(found) != len(wanted):
        raise InvalidMessage(_("Choose messages of this conversation."), field="messages")
    return found


def _findings(conversation: Conversation, keys: Iterable[UUID]) -> list[str]:
    wanted = list(dict.fromkeys(keys))[:MAX_MESSAGES]
    rows = Finding.objects.filter(message__conversation=conversation, pk__in=wanted)
    found = [str(key) for key in rows.order_by("pk").values_list("pk", flat=True)]
    if len(found) != len(wanted):
        raise InvalidMessage(_("Choose findings of this conversation."), field="findings")
    return found


def _part(consultation_id: UUID, actor: Employee) -> Consultation:
    """Return the consultation, locked. Raise NotPermitted if the actor has no part in it."""
    # Without a join: PostgreSQL can't lock the nullable side of one.
    row = Consultation.objects.select_for_update().get(pk=consultation_id)
    if not consultations(actor).filter(pk=row.pk).exists():
        raise NotPermitted(_("You have no part in this consultation."))
    return row


def _words(text: str) -> str:
    text = canonical_text(text).strip()  # as the record keeps it
    if len(text) > MAX_WORDS:
        raise InvalidMessage(_("This may have at most %(most)d characters.") % {"most": MAX_WORDS}, field="text")
    return text


def _tell(row: Consultation, person: Employee | None, about: str) -> None:
    if person is not None and queue(row, person, about):
        later("consultation_notify", str(row.pk))


def _event(
    row: Consultation, kind: str, actor: Employee | None, *, data: Mapping[str, Any] | None = None, reason: str = ""
) -> None:
    record_event(
        kind=kind,
        subject_type="consultation",
        subject_id=row.pk,
        actor_type=Event.ActorType.EMPLOYEE if actor else Event.ActorType.SYSTEM,
        actor=actor.pk if actor else "",
        conversation=row.conversation,
        data=data,
        reason=reason or None,
        row=row,
    )

"""Open consultations: when somebody asks for help, and by themselves.

A consultation creates no finding and no alert, and no other rule reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.recording import checked_words, record_step
from crm_contact_guard.supervision.consulting.rights import consultations, may_consult
from crm_contact_guard.supervision.consulting.telling import step_tell
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.routing import addressee

#: Number of messages that a consultation can name.
MAX_MESSAGES = 50


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
    words = checked_words(words)
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
    event = record_step(row, "consultation.opened", actor, reason=words)
    if actor is None or actor.pk != row.addressee_id:
        step_tell(row, row.addressee, event)
    if actor is None or actor.pk != employee.pk:
        step_tell(row, employee, event)
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
    event = record_step(row, "consultation.added", actor, data={"messages": fresh[0]}, reason=words)
    if words and actor is not None:
        step_tell(row, row.addressee if actor.pk == row.employee_id else row.employee, event)
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

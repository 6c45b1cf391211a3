"""Send messages from employees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.conversations.quotes import earlier_words
from crm_contact_guard.conversations.restrictions.standing import writing_as
from crm_contact_guard.delivery import consent
from crm_contact_guard.delivery.idempotency import KeyedRequest
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.detection.segments import has_parts
from crm_contact_guard.detection.types import Direction, Scan, Stance
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.files import storage
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy import limits, templates
from crm_contact_guard.policy.decision import Action, Decision, Override, OverrideCode
from crm_contact_guard.policy.known_rules.publishing import check_signed
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.record.statements import together
from crm_contact_guard.sending import planning, recalling, starting
from crm_contact_guard.sending.telling import emergency_tell, held_tell
from crm_contact_guard.supervision.choices import record_choice, record_kept_back
from crm_contact_guard.supervision.contents import Content
from crm_contact_guard.supervision.preview import preview


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The result of ``send``: ``message`` is None if it was kept back; with ``wait``, it hasn't gone yet."""

    message: Message | None
    decision: Decision
    scan: Scan
    #: The contents of the files, with their findings.
    files: tuple[Content, ...] = ()
    #: Whether the message is that of an earlier call with the same idempotency key.
    repeated: bool = False
    wait: Wait | None = None


def send(
    *,
    actor: Employee,
    conversation: Conversation,
    text: str,
    channel: str = "",
    subject: str = "",
    attachments: Sequence[FileIn] = (),
    template: templates.Chosen | None = None,
    override: Override | None = None,
    emergency: bool = False,
    idempotency_key: str = "",
    send_at: datetime | None = None,
    replaces: Message | None = None,
    occurred_at: datetime | None = None,
) -> Sent:
    """Send an employee's message to the customer of a conversation: authorise, scan, decide, record and enqueue it.

    If the decision is to block the message, or to nudge the employee and there is no ``override``, record the decision
    (but not the text) and return no message. If it is to schedule or hold the message, or the writer chose a time
    (``send_at``), record the message and let it wait. An emergency goes out at once, whatever the decision would be.
    ``replaces`` is a recalled message that this one was written instead of.

    ``channel`` defaults to the last one used. ``attachments`` come from ``files.uploads.read``. With ``template``, send
    that text block filled in and ignore ``text``. Use ``occurred_at`` for replays and backfills only.

    Raise NotPermitted, InvalidMessage (if the text is empty or too long, there is no address, the session window is
    closed, the time has passed, or the key was used for another text) or ConfigurationError.
    """
    emergency = emergency or (override is not None and override.code is OverrideCode.EMERGENCY)
    if not permissions.may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    if not emergency:
        check_signed(actor)
    carrier = registry.channel(channel or conversation.channel)
    signed = writing_as(actor, conversation.customer, carrier.alias)
    filled = templates.fill(template, customer=conversation.customer, signed=signed) if template else None
    text = filled.text if filled is not None else text
    limits.check_text(text, carrier, files=attachments)
    if override is not None:
        override.check()
    request = KeyedRequest.of(
        actor,
        idempotency_key,
        conversation=conversation,
        channel=carrier.alias,
        subject=subject,
        text=text,
        files=attachments,
        send_at=send_at,
    )
    replaces = recalling.recalled(replaces, actor, conversation)
    earlier = request.answered()
    if earlier is not None:
        return _repeated(earlier)
    address = consent.address_to_write_to(conversation.customer, carrier)
    limits.check_channel(conversation, carrier, files=attachments, filled=filled)
    at = occurred_at or timezone.now()
    planning.check_time(send_at, now=at, emergency=emergency)
    said = earlier_words(conversation) if has_parts(text, Direction.OUTBOUND) else ()
    when = send_at or at
    looked = preview(
        actor=actor, text=text, files=attachments, emergency=emergency, at=when, said=said, conversation=conversation
    )
    known = planning.Known(override=override, emergency=emergency, send_at=send_at, happened=occurred_at is not None)
    plan = planning.plan(looked.decision, conversation, carrier, known, now=at)
    if plan is None:
        record_kept_back(actor, conversation, looked)
        return Sent(message=None, decision=looked.decision, scan=looked.scan, files=looked.files)
    with storage.storing(attachments) as stored:
        with insert_once(request.answered) as insertion:
            lifecycle.take_over(conversation, actor)
            with together(database.alias()):
                message = record_message(
                    conversation=conversation,
                    direction=Direction.OUTBOUND.value,
                    channel=carrier.alias,
                    occurred_at=at,
                    text=text,
                    employee_id=actor.pk,
                    subject=subject or None,
                    from_name=signed,
                    to_name=conversation.customer.name,
                    to_address=address or None,
                    details=filled.details() if filled is not None else None,
                    files=storage.listing(stored),
                )
                record_choice(actor, message, looked, override, emergency=emergency)
                request.answer(message)
                wait = starting.start(
                    message, plan, looked, override=override, replaces=replaces, request=request.mark()
                )
                lifecycle.note_message(conversation, message, waits=wait is not None)
            storage.attach(message, stored)
            if wait is not None and wait.state == Wait.State.HELD:
                held_tell(message)
            if emergency and not known.happened:
                emergency_tell(message)
        if insertion.earlier is not None:
            # Two requests with the same key arrived at once. The other one was recorded, and ours was rolled back.
            storage.discard(stored)
            return _repeated(insertion.earlier)
    return Sent(message=message, decision=looked.decision, scan=looked.scan, files=looked.files, wait=wait)


def _repeated(message: Message) -> Sent:
    nothing = Scan(attempt=False, by=None, stance=Stance.NONE, score=0.0)
    return Sent(message=message, decision=Decision(action=Action.DELIVER), scan=nothing, repeated=True)

"""The entry points for messages: ``send`` for messages from employees, ``receive`` for messages from customers.

Both functions run synchronously until the record is committed. They then queue the remaining work (delivery, inspection
and notices) by task name; the tasks are in ``tasks.py``. ``note`` records what was said on the phone or in person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn, InboundMessage
from crm_contact_guard.conversations import lifecycle, names, senders
from crm_contact_guard.conversations.carrier_events import event_key, seen
from crm_contact_guard.conversations.desk import shelving
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.conversations.quotes import earlier_words, told_apart
from crm_contact_guard.conversations.restrictions.standing import writing_as
from crm_contact_guard.delivery import consent
from crm_contact_guard.delivery.idempotency import KeyedRequest
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.detection.segments import has_parts
from crm_contact_guard.detection.types import Direction, Scan, Stance
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.files import media, storage
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy import limits, templates
from crm_contact_guard.policy.closing import urgent
from crm_contact_guard.policy.decision import Action, Decision, Override, OverrideCode
from crm_contact_guard.policy.known_rules.publishing import check_signed
from crm_contact_guard.record.inserting import insert_quietly
from crm_contact_guard.record.models import Conversation, Message, MessageKind
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.record.statements import together
from crm_contact_guard.sending import planning, recalling, starting
from crm_contact_guard.sending.telling import emergency_tell, held_tell
from crm_contact_guard.supervision.choices import record_choice, record_kept_back
from crm_contact_guard.supervision.contents import Content
from crm_contact_guard.supervision.preview import Preview, preview

__all__ = ["Preview", "Received", "Sent", "note", "preview", "receive", "send"]


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


@dataclass(frozen=True, kw_only=True)
class Received:
    """The result of ``receive``: the recorded message, or the earlier one if the event is a duplicate."""

    message: Message | None
    conversation: Conversation | None
    duplicate: bool = False


# --- outbound


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


# --- inbound


def receive(inbound: InboundMessage) -> Received:
    """Record a message from a carrier exactly once, and queue its inspection.

    The conversation is found by our own token, or else by the messages that this one refers to, or else by the sender's
    address. In the last case, it is the sender's latest open conversation or a new one with the customer's owner. A new
    conversation with an unknown sender is unassigned. A message without text and files is recorded, too.
    """
    # Avoid storing a duplicate's files. Without files, the unique constraint below is enough and needs no extra query.
    known = seen(inbound.channel, inbound.event_id) if inbound.files else None
    if known is not None:
        return _known(known)
    carrier = registry.channel(inbound.channel)
    # Queried before the transaction, so that the transaction is short and begins with a write. On SQLite, all other
    # writers wait for it.
    named = senders.named_in(inbound)
    holders = senders.having(carrier, inbound.from_address)
    with storage.storing(inbound.files) as stored:
        with insert_once(lambda: seen(inbound.channel, inbound.event_id)) as insertion:
            conversation = named or senders.conversation_of(inbound, holders)
            waiting = {media.WAITING: media.listing(inbound.media)} if inbound.media else {}
            text, quoted = told_apart(conversation, inbound.text, inbound.quoted)
            with together(database.alias()):
                message = record_message(
                    conversation=conversation,
                    direction=Direction.INBOUND.value,
                    channel=inbound.channel,
                    occurred_at=inbound.occurred_at,
                    text=text,
                    employee_id=conversation.employee_id,
                    subject=inbound.subject or None,
                    quoted=quoted or None,
                    from_name=inbound.from_name or conversation.customer.name,
                    from_address=inbound.from_address or None,
                    to_name=conversation.employee.name if conversation.employee is not None else None,
                    to_address=inbound.to_address or None,
                    details=urgent.marked({**inbound.details, **waiting}, inbound.subject, text),
                    files=storage.listing(stored),
                    carrier_id=inbound.carrier_id,
                )
                insert_quietly(
                    CarrierEventId(
                        channel=inbound.channel,
                        event_id=event_key(inbound.event_id),
                        message=message,
                        received_at=message.recorded_at,
                    )
                )
                lifecycle.note_message(conversation, message)
            shelving.note_thanks(conversation, message)
            storage.attach(message, stored)
            consent.wrote(carrier, inbound.from_address, inbound.occurred_at, holders)
            names.ask_later(carrier, conversation.customer)
            later("inspect", str(message.pk))
            for media_id in media.expect(message, inbound.media):
                later("fetch", str(media_id))
        if insertion.earlier is not None:
            # The carrier delivered the same event twice at once. The unique constraint let only one of them through.
            storage.discard(stored)
            return _known(insertion.earlier)
    return Received(message=message, conversation=conversation)


def _known(event: CarrierEventId) -> Received:
    conversation = event.message.conversation if event.message is not None else None
    return Received(message=event.message, conversation=conversation, duplicate=True)


# --- notes


def note(
    *,
    actor: Employee,
    conversation: Conversation,
    kind: str,
    text: str,
    occurred_at: datetime,
    details: Mapping[str, Any] | None = None,
    attachments: Sequence[FileIn] = (),
) -> Message:
    """Record a note on a phone call or meeting.

    ``details`` can contain the duration in minutes, the place, the people and the agreed next step.

    Raise NotPermitted, or InvalidMessage if the text is empty or too long, the kind is unknown, or the time is in the
    future.
    """
    if not permissions.may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    if kind not in (MessageKind.CALL, MessageKind.MEETING):
        raise InvalidMessage(_("Choose call or meeting."), field="kind")
    if occurred_at > timezone.now():
        raise InvalidMessage(
            _("A note is about something that has happened: this time is in the future."), field="occurred_at"
        )
    limits.check_text(text, None)
    with storage.storing(attachments) as stored, database.atomic():
        message = record_message(
            conversation=conversation,
            direction=Direction.NOTE.value,
            channel="note",
            kind=kind,
            occurred_at=occurred_at,
            text=text,
            employee_id=actor.pk,
            from_name=actor.name,
            to_name=conversation.customer.name,
            details=details,
            files=storage.listing(stored),
        )
        storage.attach(message, stored)
        lifecycle.note_message(conversation, message)
        later("inspect", str(message.pk))
    return message

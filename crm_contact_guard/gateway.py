"""The entry points for messages: ``send`` for employees, ``receive`` for customers.

Both run synchronously until the record is committed, and then queue later work by name: delivery, inspection, notices
(``tasks.py``). ``note`` records what was said on the phone or in person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, FileIn, InboundMessage, StatusEvent, UnknownEvent
from crm_contact_guard.conversations import lifecycle, senders
from crm_contact_guard.conversations.carrier_events import event_key, is_seen
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.conversations.quotes import earlier_words, told_apart
from crm_contact_guard.delivery import consent, outbox
from crm_contact_guard.delivery.attempts import TEMPLATE
from crm_contact_guard.delivery.models import IdempotencyKey
from crm_contact_guard.detection.segments import has_parts
from crm_contact_guard.detection.types import Direction, Scan, Stance
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.files import media, storage
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import limits, templates
from crm_contact_guard.policy.decision import Action, Decision, Override, OverrideCode
from crm_contact_guard.record.inserting import insert_quietly
from crm_contact_guard.record.models import Conversation, Event, Message, MessageKind
from crm_contact_guard.record.recording import record_event, record_message
from crm_contact_guard.record.statements import together
from crm_contact_guard.supervision.contents import Content
from crm_contact_guard.supervision.preview import Preview, decision_data, preview

__all__ = [
    "Preview",
    "Received",
    "Sent",
    "note",
    "preview",
    "receive",
    "receive_status",
    "receive_unknown",
    "send",
]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The result of ``send``. ``message`` is None if the decision held it back; then nothing was sent."""

    message: Message | None
    decision: Decision
    scan: Scan
    #: The contents of the files, with their findings.
    files: tuple[Content, ...] = ()
    #: The message of an earlier call with the same idempotency key.
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class Received:
    """The result of ``receive``: the recorded message, or the earlier one if the event is a duplicate."""

    message: Message | None
    conversation: Conversation | None
    duplicate: bool = False


# --- out


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
    occurred_at: datetime | None = None,
) -> Sent:
    """Send an employee's message to the customer of a conversation: authorise, scan, decide, record and enqueue it.

    A nudge without ``override`` records the decision (not the text) and returns no message. ``channel`` defaults to the
    last one used. ``attachments`` come from ``files.uploads.read``. With ``template``, the text is that block filled
    in, and ``text`` is ignored. ``occurred_at`` is for replays and backfills only.

    Raises NotPermitted, InvalidMessage (empty, too long, no address, outside the session window, key used for another
    text) and ConfigurationError.
    """
    if not permissions.may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    carrier = registry.channel(channel or conversation.channel)
    filled = templates.fill(template, customer=conversation.customer, employee=actor) if template else None
    text = filled.text if filled is not None else text
    limits.check_text(text, carrier, files=attachments)
    _check_override(override)
    request_digest = _request_digest(conversation, carrier.alias, text, subject, attachments)
    earlier = _earlier(actor, idempotency_key, request_digest)
    if earlier is not None:
        return earlier
    address = _address(conversation, carrier)
    limits.check_channel(conversation, carrier, files=attachments, filled=filled)
    at = occurred_at or timezone.now()
    said = earlier_words(conversation) if has_parts(text, Direction.OUTBOUND) else ()
    looked = preview(actor=actor, text=text, files=attachments, emergency=emergency, at=at, said=said)
    if looked.decision.action is Action.BLOCK or (looked.decision.action is Action.NUDGE and override is None):
        _record_decision(actor, conversation, looked, message=None)
        return Sent(message=None, decision=looked.decision, scan=looked.scan, files=looked.files)
    stored = storage.store(attachments)
    try:
        with database.atomic():
            _take_over(conversation, actor)
            with together(database.alias()):
                message = record_message(
                    conversation=conversation,
                    direction=Direction.OUTBOUND.value,
                    channel=carrier.alias,
                    occurred_at=at,
                    text=text,
                    employee_id=actor.pk,
                    subject=subject or None,
                    from_name=actor.name,
                    to_name=conversation.customer.name,
                    to_address=address or None,
                    details=_template(filled),
                    files=storage.listing(stored),
                )
                _record_choice(actor, message, looked, override, emergency)
                if idempotency_key:
                    insert_quietly(
                        IdempotencyKey(
                            employee=actor,
                            key=idempotency_key[:255],
                            request_digest=request_digest,
                            message=message,
                            created_at=timezone.now(),
                        )
                    )
                lifecycle.note_message(conversation, message)
                outbox.enqueue(message)
            storage.attach(message, stored)
            later("deliver", str(message.pk))
            later("inspect", str(message.pk))
    except IntegrityError:
        # Two concurrent requests had the same key: the other one won, and ours was rolled back.
        storage.discard(stored)
        winner = _earlier(actor, idempotency_key, request_digest)
        if winner is None:
            raise
        return winner
    except BaseException:
        storage.discard(stored)
        raise
    return Sent(message=message, decision=looked.decision, scan=looked.scan, files=looked.files)


def _template(filled: templates.Filled | None) -> dict[str, Any] | None:
    if filled is None:
        return None
    return {TEMPLATE: {"name": filled.name, "language": filled.language, "variables": dict(filled.variables)}}


def _check_override(override: Override | None) -> None:
    if override is not None and override.code is not OverrideCode.EMERGENCY and not override.text.strip():
        raise InvalidMessage(_("Say briefly why the message should be sent anyway."), field="override")


def _request_digest(
    conversation: Conversation, channel: str, text: str, subject: str, attachments: Sequence[FileIn]
) -> str:
    digests = [[file.name, hashlib.sha256(file.content).hexdigest()] for file in attachments]
    parts = json.dumps([str(conversation.pk), channel, subject, text, *([digests] if digests else [])])
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()


def _earlier(actor: Employee, key: str, request_digest: str) -> Sent | None:
    if not key:
        return None
    row = IdempotencyKey.objects.filter(employee=actor, key=key[:255]).select_related("message").first()
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise InvalidMessage(_("This Idempotency-Key was used for another message."), field="Idempotency-Key")
    no_scan = Scan(attempt=False, by=None, stance=Stance.NONE, score=0.0)
    return Sent(message=row.message, decision=Decision(action=Action.DELIVER), scan=no_scan, repeated=True)


def _address(conversation: Conversation, carrier: Channel) -> str:
    if not carrier.needs_address:
        return ""
    address = consent.address_for(conversation.customer, carrier)
    if address is None:
        raise InvalidMessage(consent.refusal(conversation.customer, carrier), field="channel")
    return address.value


def _take_over(conversation: Conversation, actor: Employee) -> None:
    if conversation.employee_id is None:
        conversation.employee = actor
        conversation.save(update_fields=["employee"])


def _record_decision(actor: Employee, conversation: Conversation, looked: Preview, message: Message | None) -> None:
    """Record the decision. The text of a message that was held back is not recorded, to the writer's credit."""
    record_event(
        kind=f"decision.{looked.decision.action.value}",
        subject_type="message" if message else "conversation",
        subject_id=message.pk if message else conversation.pk,
        actor_type=Event.ActorType.EMPLOYEE,
        actor=actor.pk,
        conversation=conversation,
        message=message,
        data=decision_data(looked),
    )


def _record_choice(
    actor: Employee, message: Message, looked: Preview, override: Override | None, emergency: bool
) -> None:
    if looked.decision.action is not Action.DELIVER or looked.decision.reasons:
        _record_decision(actor, message.conversation, looked, message)
    codes: dict[str, str] = {}
    if override is not None and looked.decision.action is Action.NUDGE:
        codes[override.code.value] = override.text
    if emergency:
        codes.setdefault(OverrideCode.EMERGENCY.value, "")
    for code, text in codes.items():
        record_event(
            kind=f"override.{code}",
            subject_type="message",
            subject_id=message.pk,
            actor_type=Event.ActorType.EMPLOYEE,
            actor=actor.pk,
            message=message,
            reason=text or None,
        )


# --- in


def receive(inbound: InboundMessage) -> Received:
    """Record a message from a carrier exactly once, and queue its inspection.

    The conversation is found by our own token, else by the messages it refers to, else by the sender's address (the
    latest open conversation, or a new one with the customer's owner). An unknown sender opens an unassigned
    conversation. A message without text and files is recorded too.
    """
    # With files, check first, to avoid storing them in vain; else the unique constraint below suffices without a query.
    earlier = _seen(inbound.channel, inbound.event_id) if inbound.files else None
    if earlier is not None:
        return earlier
    carrier = registry.channel(inbound.channel)
    # Queried before the transaction, to keep it short and start it with a write: on SQLite all others wait for it.
    named = senders.named_in(inbound)
    holders = senders.having(carrier, inbound.from_address)
    stored = storage.store(inbound.files)
    try:
        with database.atomic():
            conversation = named or senders.conversation_of(inbound, holders)
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
                    details={
                        **inbound.details,
                        **({media.WAITING: media.listing(inbound.media)} if inbound.media else {}),
                    },
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
            storage.attach(message, stored)
            consent.wrote(carrier, inbound.from_address, inbound.occurred_at, holders)
            later("inspect", str(message.pk))
            for media_id in media.expect(message, inbound.media):
                later("fetch", str(media_id))
    except IntegrityError:
        # The carrier delivered the same event twice concurrently; the unique constraint accepted only one.
        storage.discard(stored)
        earlier = _seen(inbound.channel, inbound.event_id)
        if earlier is None:
            raise
        return earlier
    except BaseException:
        storage.discard(stored)
        raise
    return Received(message=message, conversation=conversation)


def _seen(channel: str, event_id: str) -> Received | None:
    row = (
        CarrierEventId.objects.filter(channel=channel, event_id=event_key(event_id))
        .select_related("message__conversation")
        .first()
    )
    if row is None:
        return None
    conversation = row.message.conversation if row.message is not None else None
    return Received(message=row.message, conversation=conversation, duplicate=True)


def receive_status(event: StatusEvent) -> bool:
    """Record a carrier's status of an outbound message. False for a duplicate, or if the message is not ours."""
    message = outbox.by_carrier_id(event.channel, event.carrier_id) or outbox.by_own_id(
        event.channel, event.message_id, carrier_id=event.carrier_id
    )
    try:
        with database.atomic():
            CarrierEventId.objects.create(
                channel=event.channel, event_id=event_key(event.event_id), message=message, received_at=timezone.now()
            )
            if message is None:
                return False
            outbox.carrier_said(message, event.status, occurred_at=event.occurred_at, detail=event.detail)
    except IntegrityError:
        if not is_seen(event.channel, event.event_id):
            raise
        return False
    return True


def receive_unknown(event: UnknownEvent) -> bool:
    """Record an event of an unknown type with its payload, so that nothing from a carrier is lost."""
    try:
        with database.atomic():
            CarrierEventId.objects.create(
                channel=event.channel, event_id=event_key(event.event_id), received_at=timezone.now()
            )
            record_event(
                kind="carrier.unknown",
                subject_type="channel",
                subject_id=event.channel,
                actor_type=Event.ActorType.CARRIER,
                occurred_at=event.occurred_at,
                data={"event_id_sha256": hashlib.sha256(event.event_id.encode("utf-8", "replace")).hexdigest()},
                reason=event.reason,
                details={"payload": event.payload},
            )
    except IntegrityError:
        if not is_seen(event.channel, event.event_id):
            raise
        return False
    return True


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
    """Record a note on a phone call or meeting. ``details``: minutes, place, people, agreed next step.

    Raises NotPermitted, InvalidMessage (empty, too long, unknown kind, in the future).
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
    stored = storage.store(attachments)
    try:
        with database.atomic():
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
    except BaseException:
        storage.discard(stored)
        raise
    return message

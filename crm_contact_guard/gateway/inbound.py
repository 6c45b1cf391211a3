"""Receive messages from customers."""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations import lifecycle, names, senders
from crm_contact_guard.conversations.carrier_events import event_key, seen
from crm_contact_guard.conversations.desk import shelving
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.conversations.quotes import told_apart
from crm_contact_guard.delivery import consent
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.dispatch import later
from crm_contact_guard.files import media, storage
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy.closing import urgent
from crm_contact_guard.record.inserting import insert_quietly
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.record.statements import together


@dataclass(frozen=True, kw_only=True)
class Received:
    """The result of ``receive``: the recorded message, or the earlier one if the event is a duplicate."""

    message: Message | None
    conversation: Conversation | None
    duplicate: bool = False


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

"""Sends one automatic answer per closing period to a customer who writes while nobody works.

The answer isn't an employee's writing. The customer still waits for an answer, and the message stays unread.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import UNANSWERABLE, Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.delivery import outbox
from crm_contact_guard.directory.addresses import normalise
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy import limits
from crm_contact_guard.policy.closing.models import AutoAnswer
from crm_contact_guard.policy.closing.opening import Closed, closed
from crm_contact_guard.policy.closing.options import Texts, texts_for
from crm_contact_guard.policy.closing.urgent import Told
from crm_contact_guard.policy.closing.words import answer_subject, answer_text, language_of
from crm_contact_guard.policy.working_time.quiet import QUICK
from crm_contact_guard.record.models import AUTO, Direction, Event, Message, MessageKind
from crm_contact_guard.record.recording import record_event, record_message

#: An older message is no longer answered, for example after an outage.
_FRESH = timedelta(hours=12)
#: Most automatic answers to a customer within a day, over all conversations, in case a machine answers ours.
_MOST_A_DAY = 3
#: After somebody on call was told, this long no other answer is sent.
_CALLED = timedelta(hours=1)


def answer(message: Message, told: Told | None = None) -> UUID | None:
    """Answer a customer's message automatically if it needs it, and return the answer's ID.

    ``told``: who was told, if the customer marked the message as urgent. Such an answer says so. It is sent
    once for each time that people are told, even if this closing period was answered.

    Return None if no answer is needed: the setting ``AUTO_ANSWER`` is off for the channel, somebody works, an employee
    is writing already, this closing period was answered, a machine wrote the message, or the channel accepts no answer.
    Can safely run concurrently. Raise ConfigurationError for an invalid calendar.
    """
    carrier = registry.channel(message.channel) if message.channel in registry.aliases() else None
    texts = texts_for(carrier) if carrier is not None else None
    if carrier is None or texts is None or not _is_answerable(message):
        return None
    now = timezone.now()
    conversation = message.conversation
    closing = closed(conversation, now) if closed(conversation, message.occurred_at) is not None else None
    if told is not None and told.on_call:
        closing = Closed(told.at + _CALLED)
    if closing is None or _is_answered(message, now, told):
        return None
    address = _address(message, carrier)
    if address is None:
        return None
    try:
        limits.check_channel(conversation, carrier, filled=None)
        return _send(message, carrier, texts, closing, now, address=address, told=told)
    except InvalidMessage:
        # The carrier's session window is closed, or the company's text is too long for the channel.
        return None


def _is_answerable(message: Message) -> bool:
    """Whether a person wrote the message to us a short time ago (RFC 3834 §2)."""
    if message.direction != Direction.INBOUND or message.kind != MessageKind.MESSAGE or message.source != "live":
        return False
    if message.reply_to_id is not None or message.salt is None:
        return False  # a file that was fetched later, or an erased message
    if min(message.occurred_at, message.recorded_at) < timezone.now() - _FRESH:
        return False
    details = json.loads(message.details or "{}")
    return not details.get("auto_submitted") and not details.get(UNANSWERABLE)


def _is_answered(message: Message, now: datetime, told: Told | None) -> bool:
    """Whether an employee is writing in the conversation, or an automatic answer was already sent."""
    said = Message.objects.filter(conversation=message.conversation_id, direction=Direction.OUTBOUND)
    if said.filter(occurred_at__gte=message.occurred_at - QUICK).exclude(source=AUTO).exists():
        return True
    earlier = AutoAnswer.objects.filter(conversation=message.conversation_id)
    if (
        told is None
        and earlier.filter(Q(opens_at__gt=now) | Q(opens_at=None, created_at__gt=now - timedelta(days=7))).exists()
    ):
        return True
    today = AutoAnswer.objects.filter(
        conversation__customer=message.conversation.customer_id, created_at__gt=now - timedelta(days=1)
    )
    return today.count() >= _MOST_A_DAY


def _address(message: Message, carrier: Channel) -> str | None:
    """Return the address to answer to ("" if the channel needs none).

    None if the sender's address isn't the customer's, or opted out.
    """
    if not carrier.needs_address:
        return ""
    held = message.conversation.customer.addresses.filter(
        kind=carrier.address_kind,
        normalised=normalise(carrier.address_kind, message.from_address or ""),
        opted_out_at__isnull=True,
        dropped=False,
    )
    return held.values_list("value", flat=True).first()


def _send(
    message: Message,
    carrier: Channel,
    texts: Texts,
    closing: Closed,
    now: datetime,
    *,
    address: str,
    told: Told | None,
) -> UUID | None:
    conversation = message.conversation
    period = closing.period(now) if told is None else f"urgent {told.at.isoformat(timespec='seconds')}"
    language = language_of(conversation.customer, message.text or "")
    text = answer_text(texts, customer=conversation.customer, language=language, opens_at=closing.opens_at, told=told)
    limits.check_text(text, carrier)
    rows = AutoAnswer.objects.filter(conversation=conversation, period=period)
    with insert_once(rows.first) as insertion:
        sent = record_message(
            conversation=conversation,
            direction=Direction.OUTBOUND.value,
            channel=carrier.alias,
            occurred_at=now,
            text=text,
            subject=answer_subject(message.subject, language) if carrier.supports_subject else None,
            from_name=settings.company_name,
            to_name=conversation.customer.name,
            to_address=address or None,
            # The mark of RFC 3834, which emails of other machines have in the record, too.
            details={"auto_submitted": "auto-replied", "answers": str(message.pk)},
            source=AUTO,
        )
        row = AutoAnswer.objects.create(
            conversation=conversation, period=period, opens_at=closing.opens_at, message=sent, created_at=now
        )
        record_event(
            kind="auto_answer.sent",
            subject_type="auto_answer",
            subject_id=row.pk,
            actor_type=Event.ActorType.SYSTEM,
            message=sent,
            row=row,
        )
        lifecycle.note_message(conversation, sent)
        outbox.enqueue(sent)
        later("deliver", str(sent.pk))
    return sent.pk if insertion.is_first else None

"""Record that senders have unsent messages in the carrier's app. The messages themselves are kept."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from crm_contact_guard.channels.base import TakenBack
from crm_contact_guard.record.models import Direction, Event, Message
from crm_contact_guard.record.recording import record_event

KIND = "message.taken_back"


def taken_back(event: TakenBack) -> None:
    """Record the event for the message that was unsent, or for the channel if the message was never received.

    Call this inside a transaction.
    """
    message = (
        Message.objects.filter(channel=event.channel, carrier_id=event.carrier_id[:255], direction=Direction.INBOUND)
        .select_related("conversation")
        .first()
        if event.carrier_id
        else None
    )
    record_event(
        kind=KIND,
        subject_type="message" if message is not None else "channel",
        subject_id=message.pk if message is not None else event.channel,
        actor_type=Event.ActorType.CUSTOMER,
        message=message,
        occurred_at=event.occurred_at,
        data={"channel": event.channel},
        details={"carrier_id": event.carrier_id},
    )


def of(messages: Sequence[Message]) -> set[UUID]:
    """Return the IDs of those messages that were unsent. Run one query, or none if no message is inbound."""
    inbound = [message.pk for message in messages if message.direction == Direction.INBOUND]
    if not inbound:
        return set()
    return set(Event.objects.filter(kind=KIND, message__in=inbound).values_list("message_id", flat=True))

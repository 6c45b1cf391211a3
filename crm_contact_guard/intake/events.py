"""Process carrier events from all sources: webhooks, mail server, polling and reconciliation.

Each event is recorded only once, because its ID is inserted under a unique constraint, in the same transaction as its
effects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import (
    CallEvent,
    CarrierEvent,
    ContactEvent,
    InboundMessage,
    StatusEvent,
    TakenBack,
    UnknownEvent,
)
from crm_contact_guard.channels.unread import original_of, unreadable
from crm_contact_guard.conversations import calls, takebacks
from crm_contact_guard.conversations.carrier_events import note_seen, seen
from crm_contact_guard.delivery import consent, outbox
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import logs
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event

logger = logs.logger(__name__)

#: Number of characters of an event that are recorded if it can't be recorded as it is.
_MOST_PAYLOAD = 100_000
#: Errors that the event didn't cause: the database or storage is unavailable, or a setting is wrong. Try again later.
UNAVAILABLE = (InterfaceError, OperationalError, OSError, ConfigurationError)


def take(event: CarrierEvent) -> bool:
    """Record one event. Return False if it has already been recorded, or is the status of an unknown message.

    An event that can't be recorded as it is, is recorded as an unreadable one, with its original data. Otherwise its
    content could make the carrier repeat it forever. ``UNAVAILABLE`` errors are raised; other errors are raised only if
    recording the unreadable event fails, too.
    """
    try:
        return _take(event)
    except UNAVAILABLE:
        raise
    except Exception:
        logger.exception("An event of channel %s can't be recorded as it is", event.channel)
    return _take_unread(event)


def _take_unread(event: CarrierEvent) -> bool:
    """Record, as unreadable, an event that can't be recorded as it is."""
    if not isinstance(event, InboundMessage):
        reason = f"{type(event).__name__} that can't be recorded"
        digest = sha256(repr(event).encode("utf-8", "replace")).hexdigest()
        unknown = UnknownEvent(
            channel=event.channel,
            event_id=f"unread:{digest}",
            occurred_at=timezone.now(),
            payload=repr(event)[:_MOST_PAYLOAD],
            reason=reason,
        )
        return _take(unknown)
    original = original_of(event)
    bare = unreadable(
        original, alias=event.channel, sender=event.from_address, recipients=[event.to_address], at=timezone.now()
    )
    try:
        return _take(replace(bare, event_id=event.event_id, reply_tokens=event.reply_tokens))
    except UNAVAILABLE:
        raise
    except Exception:
        logger.exception("Its sender and id can't be recorded either")
    return _take(replace(bare, from_address="", to_address=""))


def _take(event: CarrierEvent) -> bool:
    if isinstance(event, InboundMessage):
        return not gateway.receive(event).duplicate
    if isinstance(event, StatusEvent):
        return _status(event)
    if isinstance(event, ContactEvent):
        return _once(event, lambda: consent.contact_changed(event))
    if isinstance(event, CallEvent):
        return _once(event, lambda: calls.call_ended(event))
    if isinstance(event, TakenBack):
        return _once(event, lambda: takebacks.taken_back(event))
    return _once(event, lambda: _unknown(event))


def _once(event: ContactEvent | CallEvent | TakenBack | UnknownEvent, record: Callable[[], object]) -> bool:
    if seen(event.channel, event.event_id) is not None:
        return False
    with insert_once(lambda: seen(event.channel, event.event_id)) as insertion:
        noted = note_seen(event.channel, event.event_id)
        made = record()
        if isinstance(made, Message):
            noted.message = made
            noted.save(update_fields=["message"])
    return insertion.is_first


def _status(event: StatusEvent) -> bool:
    """Process a delivery status. Statuses are frequent, so the unique constraint is the only check for duplicates."""
    message = outbox.by_carrier_id(event.channel, event.carrier_id) or outbox.by_own_id(
        event.channel, event.message_id, carrier_id=event.carrier_id
    )
    with insert_once(lambda: seen(event.channel, event.event_id)) as insertion:
        note_seen(event.channel, event.event_id, message)
        if message is not None:
            outbox.carrier_said(
                message,
                event.status,
                occurred_at=event.occurred_at,
                detail=event.detail,
                carrier_id=event.carrier_id,
            )
    return insertion.is_first and message is not None


def _unknown(event: UnknownEvent) -> None:
    """Record an event that can't be parsed, with its payload."""
    record_event(
        kind="carrier.unknown",
        subject_type="channel",
        subject_id=event.channel,
        actor_type=Event.ActorType.CARRIER,
        occurred_at=event.occurred_at,
        data={"event_id_sha256": sha256(event.event_id.encode("utf-8", "replace")).hexdigest()},
        reason=event.reason,
        details={"payload": event.payload},
    )

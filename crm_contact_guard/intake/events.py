"""Processing of carrier events from all sources: webhooks, mail server, polling and reconciliation.

Each event is recorded once: its id is inserted under a unique constraint, in the same transaction as its effects.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import (
    CallEvent,
    CarrierEvent,
    ContactEvent,
    InboundMessage,
    StatusEvent,
    TakenBack,
)
from crm_contact_guard.conversations import calls, takebacks
from crm_contact_guard.conversations.carrier_events import event_key, is_seen
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.delivery import consent
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Message


def take(event: CarrierEvent) -> bool:
    """Record one event. Returns False if it was recorded before, or is a status of an unknown message."""
    if isinstance(event, InboundMessage):
        return not gateway.receive(event).duplicate
    if isinstance(event, StatusEvent):
        return gateway.receive_status(event)
    if isinstance(event, ContactEvent):
        return _once(event, lambda: consent.contact_changed(event))
    if isinstance(event, CallEvent):
        return _once(event, lambda: calls.call_ended(event))
    if isinstance(event, TakenBack):
        return _once(event, lambda: takebacks.taken_back(event))
    return gateway.receive_unknown(event)


def _once(event: ContactEvent | CallEvent | TakenBack, record: Callable[[], object]) -> bool:
    if is_seen(event.channel, event.event_id):
        return False
    try:
        with database.atomic():
            seen = CarrierEventId.objects.create(
                channel=event.channel, event_id=event_key(event.event_id), received_at=timezone.now()
            )
            result = record()
            if isinstance(result, Message):
                seen.message = result
                seen.save(update_fields=["message"])
    except IntegrityError:
        if is_seen(event.channel, event.event_id):
            return False
        raise
    return True

"""IDs of carrier events, which are stored so that each event is processed only once."""

from __future__ import annotations

import hashlib
from typing import Final

from django.utils import timezone

from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.record.models import Message

_LONGEST: Final = 255


def event_key(event_id: str) -> str:
    """Return a carrier's event ID in the form in which it is stored.

    The end of an ID that is too long is replaced by a digest, so that the ID stays unique. A digest is also added to an
    ID that ends in a space, because MariaDB and MySQL ignore trailing spaces in comparisons.
    """
    if len(event_id) <= _LONGEST and not event_id.endswith(" "):
        return event_id
    digest = hashlib.sha256(event_id.encode()).hexdigest()
    return f"{event_id[: _LONGEST - len(digest) - 1]}~{digest}"


def seen(channel: str, event_id: str) -> CarrierEventId | None:
    """Return the row for a processed event, along with its message if there is one, or None for a new event."""
    rows = CarrierEventId.objects.filter(channel=channel, event_id=event_key(event_id))
    return rows.select_related("message__conversation").first()


def note_seen(channel: str, event_id: str, message: Message | None = None) -> CarrierEventId:
    """Record the event as processed. Call it inside ``insert_once``, in the transaction that processes the event."""
    return CarrierEventId.objects.create(
        channel=channel, event_id=event_key(event_id), message=message, received_at=timezone.now()
    )

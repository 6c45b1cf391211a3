"""Ids of carriers' events, by which each event is processed only once."""

from __future__ import annotations

import hashlib
from typing import Final

from crm_contact_guard.conversations.models import CarrierEventId

_LONGEST: Final = 255


def event_key(event_id: str) -> str:
    """A carrier's event id as stored. The end of one that is too long is replaced by a digest, so it stays unique."""
    if len(event_id) <= _LONGEST:
        return event_id
    digest = hashlib.sha256(event_id.encode()).hexdigest()
    return f"{event_id[: _LONGEST - len(digest) - 1]}~{digest}"


def is_seen(channel: str, event_id: str) -> bool:
    """Whether this event was processed. Call it after an IntegrityError, which other constraints can cause as well."""
    return CarrierEventId.objects.filter(channel=channel, event_id=event_key(event_id)).exists()

"""Events of carriers, each of which counts once: its id, in the form in which it is stored and looked for."""

from __future__ import annotations

import hashlib
from typing import Final

from crm_contact_guard.conversations.models import CarrierEventId

_LONGEST: Final = 255


def event_key(event_id: str) -> str:
    """A carrier's id of an event as it is stored. Of one that is too long, a digest stands for the end, so that two
    which begin alike stay two."""
    if len(event_id) <= _LONGEST:
        return event_id
    digest = hashlib.sha256(event_id.encode()).hexdigest()
    return f"{event_id[: _LONGEST - len(digest) - 1]}~{digest}"


def is_seen(channel: str, event_id: str) -> bool:
    """Whether this event is on record: what a breach of the unique constraint has to be asked before it counts as a
    repetition, since other constraints can be breached as well."""
    return CarrierEventId.objects.filter(channel=channel, event_id=event_key(event_id)).exists()

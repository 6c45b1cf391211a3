"""Messages that can't be read, wholly or in part.

They are recorded together with the original data, and they raise an alert.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import FileIn, InboundMessage

#: Key in a message's ``details`` for the list of what wasn't read.
UNREAD = "unread"


def unreadable(original: FileIn, *, alias: str, sender: str, recipients: Sequence[str], at: datetime) -> InboundMessage:
    """Return a message saying that the original couldn't be read, with the original attached.

    Identical data gets the same event ID, so that a repeated delivery is recorded only once.
    """
    digest = hashlib.sha256(original.content).hexdigest()
    return InboundMessage(
        channel=alias,
        event_id=f"unread:{digest}",
        from_address=sender[:320],
        to_address=", ".join(recipients)[:1000],
        text=_("This message could not be read. It is attached as it arrived."),
        occurred_at=at,
        files=(original,),
        details={UNREAD: ["the message can't be read"]},
    )


def original_of(message: InboundMessage) -> FileIn:
    """Return the original data: the carrier's payload if the channel keeps it, otherwise the message itself as JSON."""
    kept = next((file for file in message.files if file.kind == "original"), None)
    if kept is not None:
        return kept
    content = json.dumps(asdict(message), default=repr, ensure_ascii=True).encode()
    return FileIn(name="original.json", content_type="application/json", content=content, kind="original")

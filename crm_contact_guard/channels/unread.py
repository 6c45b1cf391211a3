"""Messages that can't be read, wholly or in part. They are recorded with what arrived, and people are told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import FileIn, InboundMessage

#: The key in a message's details under which stands what was not read.
UNREAD = "unread"


def unreadable(original: FileIn, *, alias: str, sender: str, recipients: Sequence[str], at: datetime) -> InboundMessage:
    """A message that says that it could not be read, with what arrived.

    The same bytes have the same id, so that a repeated delivery is recorded once.
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
    """What arrived: the carrier's payload if the channel keeps it, otherwise the message itself as JSON."""
    kept = next((file for file in message.files if file.kind == "original"), None)
    if kept is not None:
        return kept
    content = json.dumps(asdict(message), default=repr, ensure_ascii=True).encode()
    return FileIn(name="original.json", content_type="application/json", content=content, kind="original")

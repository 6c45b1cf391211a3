"""Convert LINE WORKS' callbacks (developers.worksmobile.com/en/docs/bot-callback). Each contains one event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import CarrierEvent, InboundMessage, MediaRef, UnknownEvent
from crm_contact_guard.exceptions import InvalidPayload
from crm_contact_guard.hosting import bounded_json


def read_callback(body: bytes, *, alias: str, bot_id: str) -> CarrierEvent:
    """Return the event of a verified callback. Raises InvalidPayload if it can't be parsed.

    LINE WORKS sends neither event IDs nor message IDs, so a digest of the body is used. The body contains the time to
    the millisecond, and callbacks are not repeated, so an identical body is a replay of the same event.
    """
    try:
        payload = bounded_json.read(body)
    except bounded_json.UnboundedJson as error:
        raise InvalidPayload(f"not a LINE WORKS callback: {error}") from error
    if not isinstance(payload, dict):
        raise InvalidPayload("not a LINE WORKS callback: not an object")
    event_id = hashlib.sha256(body).hexdigest()
    at = _time(payload)
    user, in_room = _sender(payload)
    content = payload.get("content")
    if payload.get("type") == "message" and isinstance(content, dict) and user and not in_room:
        text, media = _read_content(content)
        return InboundMessage(
            channel=alias,
            event_id=event_id,
            from_address=user,
            to_address=bot_id,
            text=text,
            occurred_at=at,
            media=media,
            details={"event": json.dumps(payload, ensure_ascii=False)},
        )
    return UnknownEvent(
        channel=alias,
        event_id=event_id,
        occurred_at=at,
        payload=json.dumps(payload, ensure_ascii=False),
        reason=_reason(payload, user, in_room=in_room),
    )


def _read_content(content: Mapping[str, Any]) -> tuple[str, tuple[MediaRef, ...]]:
    """Return the text of a message, and the files to fetch."""
    kind = str(content.get("type", ""))[:40]
    if kind == "text":
        return str(content.get("text", "")), ()
    labels = {
        "sticker": _("[Sticker]"),
        "image": _("[Image]"),
        "video": _("[Video]"),
        "audio": _("[Voice message]"),
        "file": _("[File]"),
        "location": _("[Location: %s]") % _place(content),
    }
    text = labels.get(kind) or _("[A message that can't be shown here: %s]") % kind
    file_id = content.get("fileId")
    return text, (MediaRef(ref=file_id),) if isinstance(file_id, str) and file_id else ()


def _place(content: Mapping[str, Any]) -> str:
    where = f"{content.get('latitude', '')}, {content.get('longitude', '')}"
    address = str(content.get("address") or "")
    return f"{address} ({where})" if address else where


def _sender(payload: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the member's ID, and whether the message was sent in a group. One-to-one chats have no channel ID."""
    source = payload.get("source")
    if not isinstance(source, dict):
        return "", False
    return str(source.get("userId") or "")[:320], bool(source.get("channelId"))


def _time(payload: Mapping[str, Any]) -> datetime:
    """Return ``issuedTime`` (RFC 3339), or else the time of receipt."""
    try:
        at = datetime.fromisoformat(str(payload.get("issuedTime", "")))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _reason(payload: Mapping[str, Any], user: str, *, in_room: bool) -> str:
    kind = str(payload.get("type", ""))[:40]
    if in_room:
        return f"{kind} in a room: only one-to-one chats are recorded as conversations"
    if kind == "message":
        return "message without a sender" if not user else "message without content"
    return f"{kind} contains no message" if kind in ("postback", "begin", "end") else f"unknown event {kind!r}"

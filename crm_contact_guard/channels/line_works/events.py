"""LINE WORKS' callbacks (developers.worksmobile.com/en/docs/bot-callback) as our events. One callback brings one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import CarrierEvent, InboundMessage, MediaRef, UnknownEvent
from crm_contact_guard.channels.names import Profile
from crm_contact_guard.exceptions import InvalidPayload


def read_callback(body: bytes, *, alias: str, bot_id: str, profile: Callable[[str], Profile]) -> CarrierEvent:
    """The event of a verified callback. Raises InvalidPayload when it is none at all.

    LINE WORKS gives neither event nor message ids. The digest of the body stands for both: it holds the time to the
    millisecond, and a callback is never repeated, so that the same body is the same event played back.
    """
    try:
        given = json.loads(body)
    except ValueError as error:
        raise InvalidPayload(f"not a callback of LINE WORKS: {error}") from error
    if not isinstance(given, dict):
        raise InvalidPayload("not a callback of LINE WORKS: no object")
    event_id = hashlib.sha256(body).hexdigest()
    at = _time(given)
    user, in_room = _sender(given)
    content = given.get("content")
    if given.get("type") == "message" and isinstance(content, dict) and user and not in_room:
        text, media = _shown(content)
        return InboundMessage(
            channel=alias,
            event_id=event_id,
            from_address=user,
            from_name=profile(user).name,
            to_address=bot_id,
            text=text,
            occurred_at=at,
            media=media,
            details={"event": json.dumps(given, ensure_ascii=False)},
        )
    return UnknownEvent(
        channel=alias,
        event_id=event_id,
        occurred_at=at,
        payload=json.dumps(given, ensure_ascii=False),
        reason=_reason(given, user, in_room=in_room),
    )


def _shown(content: Mapping[str, Any]) -> tuple[str, tuple[MediaRef, ...]]:
    """What a person reads, and what is still to be fetched."""
    kind = str(content.get("type", ""))[:40]
    if kind == "text":
        return str(content.get("text", "")), ()
    words = {
        "sticker": _("[Sticker]"),
        "image": _("[Image]"),
        "video": _("[Video]"),
        "audio": _("[Voice message]"),
        "file": _("[File]"),
        "location": _("[Location: %s]") % _place(content),
    }
    text = words.get(kind) or _("[A message that can't be shown here: %s]") % kind
    file_id = content.get("fileId")
    return text, (MediaRef(ref=file_id),) if isinstance(file_id, str) and file_id else ()


def _place(content: Mapping[str, Any]) -> str:
    where = f"{content.get('latitude', '')}, {content.get('longitude', '')}"
    address = str(content.get("address") or "")
    return f"{address} ({where})" if address else where


def _sender(given: Mapping[str, Any]) -> tuple[str, bool]:
    """The member's id, and whether it was said in a room of several; a talk of two comes without a room."""
    source = given.get("source")
    if not isinstance(source, dict):
        return "", False
    return str(source.get("userId") or "")[:320], bool(source.get("channelId"))


def _time(given: Mapping[str, Any]) -> datetime:
    """``issuedTime`` (RFC 3339), else the time of receipt."""
    try:
        at = datetime.fromisoformat(str(given.get("issuedTime", "")))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _reason(given: Mapping[str, Any], user: str, *, in_room: bool) -> str:
    kind = str(given.get("type", ""))[:40]
    if in_room:
        return f"{kind} in a room: only talks of two are conversations with a customer"
    if kind == "message":
        return "message without a sender" if not user else "message without content"
    return f"{kind} carries no message" if kind in ("postback", "begin", "end") else f"unknown event {kind!r}"

"""Convert LINE's webhook events (developers.line.biz/en/reference/messaging-api/#webhook-event-objects)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from linebot.v3.webhooks import (
    AudioMessageContent,
    Event,
    FileMessageContent,
    FollowEvent,
    ImageMessageContent,
    LocationMessageContent,
    MessageEvent,
    StickerMessageContent,
    TextMessageContent,
    UnfollowEvent,
    UnsendEvent,
    UserSource,
    VideoMessageContent,
)

from crm_contact_guard.channels.base import (
    CarrierEvent,
    ContactEvent,
    ContactKind,
    InboundMessage,
    MediaRef,
    TakenBack,
    UnknownEvent,
)
from crm_contact_guard.exceptions import InvalidPayload
from crm_contact_guard.hosting import bounded_json, logs

logger = logs.logger(__name__)

#: Keys of short-lived tokens, which are removed from the stored event.
_TOKENS = ("replyToken", "markAsReadToken")


@dataclass(frozen=True)
class _Content:
    """A message's text, the files to fetch, and the ID of the quoted message."""

    text: str
    media: tuple[MediaRef, ...] = ()
    quoted: str = ""


class EventReader:
    """Parser for the webhooks of one account.

    Webhooks don't contain people's names, so a task requests the names (``Channel.name_of``).
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def read(self, body: bytes) -> Iterator[CarrierEvent]:
        """Yield the events of a verified webhook. The console's verification request has none.

        Raises InvalidPayload.
        """
        try:
            payload = bounded_json.read(body)
            items = payload["events"]
            if not isinstance(items, list):
                raise TypeError("events is not a list")
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidPayload(f"not a LINE webhook: {error}") from error
        account = str(payload.get("destination") or "")
        for raw in items:
            yield self._event(raw if isinstance(raw, dict) else {"value": raw}, account)

    def _event(self, raw: dict[str, Any], account: str) -> CarrierEvent:
        try:
            event = Event.from_dict(raw)
        except Exception as error:  # noqa: BLE001 - the library raises various exceptions on unknown events
            event = None
            logger.info("LINE sent an event that its library can't parse: %s", type(error).__name__)
        user = _user(raw)
        if isinstance(event, MessageEvent) and isinstance(event.source, UserSource) and user:
            return self._message(raw, user, account, _content(event.message))
        if isinstance(event, FollowEvent | UnfollowEvent) and user:
            return self._contact(event, raw, user)
        if event is None and raw.get("type") == "message" and user and _message_id(raw):
            # A message type newer than the library: it can't be displayed, but it must be recorded as a message.
            kind = str(raw["message"].get("type", ""))[:40]
            return self._message(raw, user, account, _Content(_("[A message that can't be shown here: %s]") % kind))
        if isinstance(event, UnsendEvent) and user:
            message_id = event.unsend.message_id
            return TakenBack(
                channel=self._alias, event_id=_event_id(raw), carrier_id=message_id, occurred_at=_time(raw)
            )
        return UnknownEvent(
            channel=self._alias,
            event_id=_event_id(raw),
            occurred_at=_time(raw),
            payload=_as_received(raw),
            reason=_reason(event, raw, user),
        )

    def _message(self, raw: dict[str, Any], user: str, account: str, content: _Content) -> InboundMessage:
        return InboundMessage(
            channel=self._alias,
            event_id=_event_id(raw),
            from_address=user,
            to_address=account,
            text=content.text,
            occurred_at=_time(raw),
            carrier_id=_message_id(raw),
            references=(content.quoted,) if content.quoted else (),
            media=content.media,
            details={"event": _as_received(raw)},
        )

    def _contact(self, event: Event, raw: dict[str, Any], user: str) -> ContactEvent:
        follows = isinstance(event, FollowEvent)
        back = follows and bool((raw.get("follow") or {}).get("isUnblocked"))
        return ContactEvent(
            channel=self._alias,
            event_id=_event_id(raw),
            address=user,
            kind=ContactKind.FOLLOW if follows else ContactKind.UNFOLLOW,
            occurred_at=_time(raw),
            detail={"unblocked": "true"} if back else {},
        )


def _content(message: Any) -> _Content:
    # The ID of the message that the customer replies to. Only text messages and stickers contain it.
    quoted = getattr(message, "quoted_message_id", None) or ""
    if isinstance(message, TextMessageContent):
        return _Content(message.text, quoted=quoted)
    if isinstance(message, StickerMessageContent):
        # The keywords are LINE's, not the customer's. They are in the stored event and are not inspected.
        return _Content(_("[Sticker: %s]") % message.text if message.text else _("[Sticker]"), quoted=quoted)
    if isinstance(message, ImageMessageContent | VideoMessageContent | AudioMessageContent):
        hosted = message.content_provider.original_content_url
        # Only files at LINE are fetched, never a URL that the sender can choose (SSRF).
        return _Content(f"{_picture(message)} {hosted}") if hosted else _Content(_picture(message), _media(message.id))
    if isinstance(message, FileMessageContent):
        return _Content(_("[File: %s]") % message.file_name, _media(message.id, message.file_name))
    if isinstance(message, LocationMessageContent):
        return _Content(_location(message))
    return _Content(_("[A message that can't be shown here: %s]") % message.type)


def _media(identifier: str, name: str = "") -> tuple[MediaRef, ...]:
    return (MediaRef(ref=identifier, name=name),)


def _picture(message: Any) -> str:
    if isinstance(message, VideoMessageContent):
        return _("[Video]") if message.duration is None else _("[Video, %d s]") % (message.duration // 1000)
    if isinstance(message, AudioMessageContent):
        return (
            _("[Voice message]")
            if message.duration is None
            else _("[Voice message, %d s]") % (message.duration // 1000)
        )
    group = message.image_set
    if group is not None and group.index and group.total:
        return _("[Image %(number)d of %(total)d]") % {"number": group.index, "total": group.total}
    return _("[Image]")


def _location(message: LocationMessageContent) -> str:
    place = ", ".join(part for part in (message.title, message.address) if part)
    where = f"{message.latitude:.6f}, {message.longitude:.6f}"
    return _("[Location: %s]") % (f"{place} ({where})" if place else where)


def _message_id(raw: Mapping[str, Any]) -> str:
    message = raw.get("message")
    return str(message.get("id") or "")[:255] if isinstance(message, dict) else ""


def _user(raw: Mapping[str, Any]) -> str:
    """Return the sender in a one-to-one chat; empty in groups and rooms, which do not belong to one customer."""
    source = raw.get("source")
    if not isinstance(source, dict) or source.get("type") != "user":
        return ""
    return str(source.get("userId") or "")[:320]


def _event_id(raw: Mapping[str, Any]) -> str:
    """Return LINE's ID (a ULID), or else a digest of the event without its delivery data.

    Both stay the same if an event is redelivered.
    """
    event_id = raw.get("webhookEventId")
    if isinstance(event_id, str) and event_id:
        return event_id[:255]
    stable = {key: value for key, value in raw.items() if key not in ("deliveryContext", *_TOKENS)}
    return hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest()


def _time(raw: Mapping[str, Any]) -> datetime:
    """Return LINE's ``timestamp`` (Unix milliseconds), or else the time of receipt."""
    millis = raw.get("timestamp")
    try:
        return datetime.fromtimestamp(int(millis) / 1000, UTC) if isinstance(millis, int) else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _as_received(raw: Mapping[str, Any]) -> str:
    """Return the event as received, without tokens.

    It is returned as JSON text, since the record's canonical JSON has no fractions.
    """
    event = {key: value for key, value in raw.items() if key not in _TOKENS}
    if isinstance(event.get("message"), dict):
        event["message"] = {key: value for key, value in event["message"].items() if key not in _TOKENS}
    return json.dumps(event, ensure_ascii=False)


def _reason(event: Event | None, raw: Mapping[str, Any], user: str) -> str:
    kind = str(raw.get("type", ""))[:40]
    if event is None:
        return f"unknown event {kind!r}"
    source = raw.get("source")
    where = str(source.get("type", ""))[:40] if isinstance(source, dict) else ""
    if where in ("group", "room"):
        return f"{kind} in a {where}: only one-to-one chats are recorded as conversations"
    return f"{kind} contains no message" if user else f"{kind} without a user"

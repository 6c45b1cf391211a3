"""LINE's webhook events (developers.line.biz/en/reference/messaging-api/#webhook-event-objects) as ours."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
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
from crm_contact_guard.channels.names import Profile
from crm_contact_guard.exceptions import InvalidPayload

logger = logging.getLogger(__name__)

#: Tokens for acting on the event, of no use as evidence.
_PASSING = ("replyToken", "markAsReadToken")


@dataclass(frozen=True)
class _Shown:
    """What a person reads of a message, what is still to be fetched, and which message it answers."""

    text: str
    media: tuple[MediaRef, ...] = ()
    quoted: str = ""


class EventReader:
    """Reads the webhooks of one account. ``profile`` gives the profile of a user id."""

    def __init__(self, alias: str, profile: Callable[[str], Profile]) -> None:
        self._alias = alias
        self._profile = profile

    def read(self, body: bytes) -> Iterator[CarrierEvent]:
        """The events of a verified webhook; none in the console's verification. Raises InvalidPayload."""
        try:
            payload = json.loads(body)
            given = payload["events"]
            if not isinstance(given, list):
                raise TypeError("events is no list")
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidPayload(f"not a webhook of LINE: {error}") from error
        account = str(payload.get("destination") or "")
        for raw in given:
            yield self._event(raw if isinstance(raw, dict) else {"value": raw}, account)

    def _event(self, raw: dict[str, Any], account: str) -> CarrierEvent:
        try:
            event = Event.from_dict(raw)
        except Exception as error:  # noqa: BLE001 - the library raises all sorts on what it does not know
            event = None
            logger.info("LINE sent an event that its library can't read: %s", type(error).__name__)
        user = _user(raw)
        if isinstance(event, MessageEvent) and isinstance(event.source, UserSource) and user:
            return self._message(raw, user, account, _shown(event.message))
        if isinstance(event, FollowEvent | UnfollowEvent) and user:
            return self._contact(event, raw, user)
        if event is None and raw.get("type") == "message" and user and _message_id(raw):
            # A kind of message that came after this library: what it was can't be shown, that it came must be.
            kind = str(raw["message"].get("type", ""))[:40]
            return self._message(raw, user, account, _Shown(_("[A message that can't be shown here: %s]") % kind))
        if isinstance(event, UnsendEvent) and user:
            taken_back = event.unsend.message_id
            return TakenBack(
                channel=self._alias, event_id=_event_id(raw), carrier_id=taken_back, occurred_at=_time(raw)
            )
        return UnknownEvent(
            channel=self._alias,
            event_id=_event_id(raw),
            occurred_at=_time(raw),
            payload=_kept(raw),
            reason=_reason(event, raw, user),
        )

    def _message(self, raw: dict[str, Any], user: str, account: str, shown: _Shown) -> InboundMessage:
        profile = self._profile(user)
        return InboundMessage(
            channel=self._alias,
            event_id=_event_id(raw),
            from_address=user,
            from_name=profile.name,
            to_address=account,
            text=shown.text,
            occurred_at=_time(raw),
            carrier_id=_message_id(raw),
            references=(shown.quoted,) if shown.quoted else (),
            media=shown.media,
            details={"event": _kept(raw)},
            language=profile.language,
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
            # LINE gives no profile of somebody who blocked the account.
            name=self._profile(user).name if follows else "",
            detail={"unblocked": "true"} if back else {},
        )


def _shown(message: Any) -> _Shown:
    # The message that the customer answers to; only text and stickers tell.
    quoted = getattr(message, "quoted_message_id", None) or ""
    if isinstance(message, TextMessageContent):
        return _Shown(message.text, quoted=quoted)
    if isinstance(message, StickerMessageContent):
        # The keywords are LINE's, not the customer's: they stand in the event, and are not scanned.
        return _Shown(_("[Sticker: %s]") % message.text if message.text else _("[Sticker]"), quoted=quoted)
    if isinstance(message, ImageMessageContent | VideoMessageContent | AudioMessageContent):
        hosted = message.content_provider.original_content_url
        # Only what lies with LINE is fetched: an address that a customer chose is none to call from here.
        return _Shown(f"{_picture(message)} {hosted}") if hosted else _Shown(_picture(message), _media(message.id))
    if isinstance(message, FileMessageContent):
        return _Shown(_("[File: %s]") % message.file_name, _media(message.id, message.file_name))
    if isinstance(message, LocationMessageContent):
        return _Shown(_location(message))
    return _Shown(_("[A message that can't be shown here: %s]") % message.type)


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
    """The sender in a talk of two; empty in groups and rooms, which are no customer's conversation."""
    source = raw.get("source")
    if not isinstance(source, dict) or source.get("type") != "user":
        return ""
    return str(source.get("userId") or "")[:320]


def _event_id(raw: Mapping[str, Any]) -> str:
    """LINE's id (a ULID), the same when an event is delivered again; else a digest of all but the delivery's marks."""
    given = raw.get("webhookEventId")
    if isinstance(given, str) and given:
        return given[:255]
    lasting = {key: value for key, value in raw.items() if key not in ("deliveryContext", *_PASSING)}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _time(raw: Mapping[str, Any]) -> datetime:
    """When it happened by LINE's clock (milliseconds); the time of receipt when it does not say."""
    given = raw.get("timestamp")
    try:
        return datetime.fromtimestamp(int(given) / 1000, UTC) if isinstance(given, int) else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _kept(raw: Mapping[str, Any]) -> str:
    """The event as received, less the tokens. As text, since JSON knows fractions that a record's own form does not."""
    kept = {key: value for key, value in raw.items() if key not in _PASSING}
    if isinstance(kept.get("message"), dict):
        kept["message"] = {key: value for key, value in kept["message"].items() if key not in _PASSING}
    return json.dumps(kept, ensure_ascii=False)


def _reason(event: Event | None, raw: Mapping[str, Any], user: str) -> str:
    kind = str(raw.get("type", ""))[:40]
    if event is None:
        return f"unknown event {kind!r}"
    source = raw.get("source")
    where = str(source.get("type", ""))[:40] if isinstance(source, dict) else ""
    if where in ("group", "room"):
        return f"{kind} in a {where}: only talks of two are conversations with a customer"
    return f"{kind} carries no message" if user else f"{kind} without a user"

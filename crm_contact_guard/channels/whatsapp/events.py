"""Meta's webhooks as events.

The library reads the first message of the first change only, while Meta puts many into one call; so they are read here,
by https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from crm_contact_guard.channels import contact_words, placeholders
from crm_contact_guard.channels.base import (
    CarrierEvent,
    ContactEvent,
    DeliveryStatus,
    InboundMessage,
    MediaRef,
    StatusEvent,
    UnknownEvent,
)

Item = Mapping[str, Any]

_STATUS = {
    "accepted": DeliveryStatus.SENT,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "played": DeliveryStatus.READ,  # a voice message was listened to
    "failed": DeliveryStatus.FAILED,
}
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError)


#: Messages that are no utterance of the customer's: a new number, a first tap, something taken back.
_NO_UTTERANCE = frozenset({"system", "request_welcome", "revoke"})


@dataclass(frozen=True)
class Content:
    """What a message holds, whatever its type; the rest is in the event as received."""

    text: str
    media: tuple[MediaRef, ...] = ()
    refers_to: str = ""


def of(entries: Sequence[Any], *, channel: str, number_id: str) -> list[CarrierEvent]:
    """Every event of one call. Never raises: what can't be read is an UnknownEvent with its payload."""
    found: list[CarrierEvent] = []
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, Mapping) else None
        if not isinstance(changes, list):
            found.append(unknown(channel, entry, "an entry without changes"))
            continue
        for change in changes:
            found.extend(_change(change, channel, number_id))
    return found


def _change(change: Any, channel: str, number_id: str) -> Iterator[CarrierEvent]:
    value = change.get("value") if isinstance(change, Mapping) else None
    if not isinstance(value, Mapping) or change.get("field") != "messages":
        name = change.get("field") if isinstance(change, Mapping) else None
        yield unknown(channel, change, f"field {name}")
        return
    metadata = value.get("metadata")
    told = str(metadata.get("phone_number_id", "")) if isinstance(metadata, Mapping) else ""
    if told != number_id:
        yield unknown(channel, change, f"for another number ({told or 'none'})")
        return
    known = 0
    for name, read in (("messages", _message), ("statuses", _status)):
        items = value.get(name)
        for item in items if isinstance(items, list) else ():
            known += 1
            yield from _read(read, item, value, channel)
    if not known:
        yield unknown(channel, change, "neither messages nor statuses")


def _read(
    read: Callable[[Item, Item, str], list[CarrierEvent]], item: Any, value: Item, channel: str
) -> list[CarrierEvent]:
    try:
        return read(item, value, channel)
    except _MALFORMED as error:
        return [unknown(channel, item, f"not as documented: {type(error).__name__}")]


# --- messages


def _message(item: Item, value: Item, channel: str) -> list[CarrierEvent]:
    kind = str(item["type"])
    if kind in _NO_UTTERANCE or item.get("group_id"):
        what = "message in a group" if item.get("group_id") else f"message of type {kind}"
        return [unknown(channel, item, what, event_id=str(item["id"]), at=_time(item))]
    content = _content(kind, item)
    contact = _contact(item, value)
    address = f"+{item['from']}" if item.get("from") else str(item["from_user_id"])
    reference = content.refers_to or str((item.get("context") or {}).get("id") or "")
    message = InboundMessage(
        channel=channel,
        event_id=str(item["id"]),
        carrier_id=str(item["id"]),
        from_address=address,
        from_name=str((contact.get("profile") or {}).get("name") or ""),
        to_address=str(value["metadata"].get("display_phone_number") or ""),
        text=content.text,
        occurred_at=_time(item),
        references=(reference,) if reference else (),
        media=content.media,
        details={"event": _as_received(item)},
    )
    meant = contact_words.meant(content.text) if kind in ("text", "button", "interactive") else None
    if meant is None:
        return [message]
    word = ContactEvent(
        channel=channel,
        event_id=f"{message.event_id}:{meant.value}",
        address=address,
        kind=meant,
        occurred_at=message.occurred_at,
        name=message.from_name,
    )
    return [message, word]


def _contact(item: Item, value: Item) -> Item:
    """The sender's card: the one with the message's own id, since a call may bring several people's messages."""
    contacts = [contact for contact in value.get("contacts") or () if isinstance(contact, Mapping)]
    for mine, theirs in (("from", "wa_id"), ("from_user_id", "user_id")):
        for contact in contacts:
            if item.get(mine) and contact.get(theirs) == item[mine]:
                return contact
    return {}


def _content(kind: str, item: Item) -> Content:
    """What is in a message of this type; of what we can't show, that it came."""
    readers: dict[str, Callable[[Any], Content]] = {
        "text": lambda body: Content(str(body["body"])),
        "button": lambda body: Content(str(body["text"])),
        "interactive": _interactive,
        "location": _location,
        "contacts": _cards,
        "reaction": lambda body: Content(str(body.get("emoji") or ""), refers_to=str(body["message_id"])),
        "edit": _edited,
        **dict.fromkeys(("image", "video", "audio", "document", "sticker"), _media),
    }
    if kind not in readers:
        told = item.get(kind)
        inner = told.get("type") if isinstance(told, Mapping) else ""
        return Content(placeholders.of_unreadable(str(inner or kind)))
    return readers[kind](item[kind])


def _media(body: Item) -> Content:
    name, content_type = str(body.get("filename") or ""), str(body.get("mime_type") or "")
    reference = MediaRef(ref=str(body["id"]), name=name, content_type=content_type)
    return Content(str(body.get("caption") or placeholders.of_file(content_type, name)), media=(reference,))


def _interactive(body: Item) -> Content:
    """A pressed button, a chosen row of a list, a filled-in form: its words."""
    reply = body[str(body["type"])]
    words = [reply.get("title") or reply.get("body") or "", reply.get("description") or "", reply.get("response_json")]
    return Content("\n".join(str(word) for word in words if word))


def _location(body: Item) -> Content:
    at = f"{float(body['latitude'])},{float(body['longitude'])}"
    return Content(placeholders.of_place(body.get("name"), body.get("address"), body.get("url"), at))


def _cards(cards: Sequence[Item]) -> Content:
    """Contacts that the customer handed over, in words: a number in a card is a number."""
    lines = []
    for card in cards:
        name = (card.get("name") or {}).get("formatted_name") or ""
        values = [
            str(entry.get(field) or "")
            for several, field in (("phones", "phone"), ("emails", "email"), ("urls", "url"))
            for entry in card.get(several) or ()
        ]
        lines.append(" ".join(part for part in (str(name), *values) if part))
    return Content("\n".join(lines))


def _edited(edit: Item) -> Content:
    """A message that was changed afterwards is a message of its own; the first one stays as it was recorded."""
    inner = edit["message"]
    content = _content(str(inner["type"]), inner)
    return Content(content.text, content.media, str(edit["original_message_id"]))


# --- statuses


def _status(item: Item, value: Item, channel: str) -> list[CarrierEvent]:
    name = str(item["status"]).lower()
    if name not in _STATUS:
        return [unknown(channel, item, f"status {name}")]
    detail = {"carrier_status": name}
    for error in item.get("errors") or ():
        words = (error.get("error_data") or {}).get("details") or error.get("message") or error.get("title") or ""
        detail |= {"code": str(error.get("code", "")), "error": str(words)}
    return [
        StatusEvent(
            channel=channel,
            event_id=f"{item['id']}:{name}",
            carrier_id=str(item["id"]),
            message_id=str(item.get("biz_opaque_callback_data") or ""),
            status=_STATUS[name],
            occurred_at=_time(item),
            detail=detail,
        )
    ]


# --- both


def unknown(channel: str, item: Any, reason: str, *, event_id: str = "", at: datetime | None = None) -> UnknownEvent:
    """Kept with its payload; without an id of Meta's the same payload twice is one event."""
    payload = _as_received(item)
    digest = hashlib.sha256(payload.encode("utf-8", "replace")).hexdigest()
    return UnknownEvent(
        channel=channel,
        event_id=event_id or f"unknown:{digest}",
        occurred_at=at or timezone.now(),
        payload=payload,
        reason=reason,
    )


def _as_received(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, sort_keys=True)


def _time(item: Item) -> datetime:
    """Seconds since 1970 as text. A clock ahead of ours can't have happened yet."""
    return min(datetime.fromtimestamp(int(item["timestamp"]), UTC), timezone.now())

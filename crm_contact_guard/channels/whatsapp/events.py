"""Convert Meta's webhooks to carrier events.

pywa reads only the first message of the first change, but a request may contain many. The format is documented at
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
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
    "played": DeliveryStatus.READ,  # a voice message was played
    "failed": DeliveryStatus.FAILED,
}
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError)


#: Message types without content from the customer: number changed, chat opened, message deleted.
_WITHOUT_CONTENT = frozenset({"system", "request_welcome", "revoke"})


@dataclass(frozen=True)
class Content:
    """The content of a message of any type. Any other data is in the stored event."""

    text: str
    media: tuple[MediaRef, ...] = ()
    refers_to: str = ""


def of(entries: Sequence[Any], *, channel: str, number_id: str) -> list[CarrierEvent]:
    """Return all events of one request. Never raises; what can't be parsed becomes an UnknownEvent with its payload."""
    events: list[CarrierEvent] = []
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, Mapping) else None
        if not isinstance(changes, list):
            events.append(unknown(channel, entry, "an entry without changes"))
            continue
        for change in changes:
            events.extend(_change(change, channel, number_id))
    return events


def _change(change: Any, channel: str, number_id: str) -> Iterator[CarrierEvent]:
    value = change.get("value") if isinstance(change, Mapping) else None
    if not isinstance(value, Mapping) or change.get("field") != "messages":
        name = change.get("field") if isinstance(change, Mapping) else None
        yield unknown(channel, change, f"field {name}")
        return
    metadata = value.get("metadata")
    recipient = str(metadata.get("phone_number_id", "")) if isinstance(metadata, Mapping) else ""
    if recipient != number_id:
        yield unknown(channel, change, f"for another number ({recipient or 'none'})")
        return
    count = 0
    for name, read in (("messages", _message), ("statuses", _status)):
        items = value.get(name)
        for item in items if isinstance(items, list) else ():
            count += 1
            yield from _read(read, item, value, channel)
    if not count:
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
    if kind in _WITHOUT_CONTENT or item.get("group_id"):
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
    contact_kind = contact_words.meant(content.text) if kind in ("text", "button", "interactive") else None
    if contact_kind is None:
        return [message]
    word = ContactEvent(
        channel=channel,
        event_id=f"{message.event_id}:{contact_kind.value}",
        address=address,
        kind=contact_kind,
        occurred_at=message.occurred_at,
        name=message.from_name,
    )
    return [message, word]


def _contact(item: Item, value: Item) -> Item:
    """Return the sender's contact, matched by ID, since a request may contain messages from several people."""
    contacts = [contact for contact in value.get("contacts") or () if isinstance(contact, Mapping)]
    for mine, theirs in (("from", "wa_id"), ("from_user_id", "user_id")):
        for contact in contacts:
            if item.get(mine) and contact.get(theirs) == item[mine]:
                return contact
    return {}


def _content(kind: str, item: Item) -> Content:
    """Return the content of a message of this type; a placeholder for unsupported types."""
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
        body = item.get(kind)
        inner = body.get("type") if isinstance(body, Mapping) else ""
        return Content(placeholders.of_unreadable(str(inner or kind)))
    return readers[kind](item[kind])


def _media(body: Item) -> Content:
    name, content_type = str(body.get("filename") or ""), str(body.get("mime_type") or "")
    reference = MediaRef(ref=str(body["id"]), name=name, content_type=content_type)
    return Content(str(body.get("caption") or placeholders.of_file(content_type, name)), media=(reference,))


def _interactive(body: Item) -> Content:
    """Return the text of a pressed button, a selected list row or a submitted form."""
    reply = body[str(body["type"])]
    words = [reply.get("title") or reply.get("body") or "", reply.get("description") or "", reply.get("response_json")]
    return Content("\n".join(str(word) for word in words if word))


def _location(body: Item) -> Content:
    at = f"{float(body['latitude'])},{float(body['longitude'])}"
    return Content(placeholders.of_place(body.get("name"), body.get("address"), body.get("url"), at))


def _cards(cards: Sequence[Item]) -> Content:
    """Return shared contact cards as text, so that their numbers and addresses are inspected."""
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
    """Return an edited message as a new one that refers to the original, which does not change."""
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
    """Return an unknown event with its payload. Without an ID, a digest makes the same payload the same event."""
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
    """Return the ``timestamp`` (Unix seconds as text), but not later than now."""
    return min(datetime.fromtimestamp(int(item["timestamp"]), UTC), timezone.now())

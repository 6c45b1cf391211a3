"""Convert Twilio's webhooks about messages to carrier events.

The fields are documented at https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm_contact_guard.channels import contact_words, placeholders
from crm_contact_guard.channels.base import (
    CarrierEvent,
    ContactEvent,
    ContactKind,
    DeliveryStatus,
    InboundMessage,
    MediaRef,
    StatusEvent,
    UnknownEvent,
)
from crm_contact_guard.channels.twilio.errors import OPTED_OUT

Values = Mapping[str, str]

#: "Sent" means that the carrier has accepted the message, even if it is still in Twilio's queue.
_STATUS = {
    "accepted": DeliveryStatus.SENT,
    "scheduled": DeliveryStatus.SENT,
    "queued": DeliveryStatus.SENT,
    "sending": DeliveryStatus.SENT,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}
#: Codes for a number that does not exist. (30003 and 30006 may mean a phone that is switched off, or a landline.)
_NO_SUCH_NUMBER = frozenset({30005})
_OPT_OUT_TYPES = {"STOP": ContactKind.STOP, "START": ContactKind.START}
_MOST_MEDIA = 10


def events(values: Values, *, channel: str, prefix: str, message_id: str = "") -> list[CarrierEvent]:
    """Return the events of one request. Never raises; what can't be parsed becomes an UnknownEvent with the payload."""
    now = timezone.now()
    sid = values.get("MessageSid") or values.get("SmsSid") or ""
    status = (values.get("MessageStatus") or values.get("SmsStatus") or "").lower()
    if sid and values.get("From") and status in ("", "received", "receiving") and _has_content(values):
        return [message(values, channel, prefix, now), *contact(values, channel, prefix, now)]
    if sid and status in _STATUS:
        event = _status(values, channel, sid=sid, status=status, message_id=message_id, now=now)
        return [event, *_ended(values, channel, prefix, sid, now)]
    return [unknown(values, channel, now, f"neither a message nor a known status ({status or 'none'})")]


def _has_content(values: Values) -> bool:
    return "Body" in values or _count(values.get("NumMedia")) > 0 or "Latitude" in values


def message(values: Values, channel: str, prefix: str, now: datetime) -> InboundMessage:
    """Return the customer's message. Twilio sends no time, so the time of the request is used."""
    sid = values.get("MessageSid") or values["SmsSid"]
    replied = values.get("OriginalRepliedMessageSid", "")
    media = tuple(
        MediaRef(ref=values[f"MediaUrl{number}"], content_type=values.get(f"MediaContentType{number}", ""))
        for number in range(min(_count(values.get("NumMedia")), _MOST_MEDIA))
        if values.get(f"MediaUrl{number}")
    )
    return InboundMessage(
        channel=channel,
        event_id=sid,
        carrier_id=sid,
        from_address=bare(values["From"], prefix),
        from_name=values.get("ProfileName", ""),
        to_address=bare(values.get("To", ""), prefix),
        text=_text(values) or "\n".join(placeholders.of_file(ref.content_type) for ref in media),
        occurred_at=now,
        references=(replied,) if replied else (),
        media=media,
        details={"event": _as_received(values)},
    )


def _text(values: Values) -> str:
    """Return the text, the text of a pressed button, or a location's name and coordinates."""
    text = values.get("Body") or values.get("ButtonText") or ""
    if values.get("Latitude") and not text:
        at = f"{values['Latitude']},{values.get('Longitude', '')}"
        return placeholders.of_place(values.get("Label"), values.get("Address"), at)
    return text


def contact(values: Values, channel: str, prefix: str, now: datetime) -> list[ContactEvent]:
    """Return the event for a STOP or START, as detected by Twilio (Advanced Opt-Out) or else by its default words."""
    kind = _OPT_OUT_TYPES.get(values.get("OptOutType", "").upper()) or contact_words.meant(
        values.get("Body", ""), sms=not prefix
    )
    if kind is None:
        return []
    return [
        ContactEvent(
            channel=channel,
            event_id=f"{values.get('MessageSid') or values['SmsSid']}:{kind.value}",
            address=bare(values["From"], prefix),
            kind=kind,
            occurred_at=now,
            name=values.get("ProfileName", ""),
        )
    ]


def _status(values: Values, channel: str, *, sid: str, status: str, message_id: str, now: datetime) -> StatusEvent:
    detail = {"carrier_status": status}
    if values.get("ErrorCode"):
        detail |= {"code": values["ErrorCode"], "error": _words(values)}
    return StatusEvent(
        channel=channel,
        event_id=f"{sid}:{status}",
        carrier_id=sid,
        message_id=message_id,
        status=_STATUS[status],
        occurred_at=now,
        detail=detail,
    )


def _words(values: Values) -> str:
    return values.get("ChannelStatusMessage") or values.get("ErrorMessage") or ""


def _ended(values: Values, channel: str, prefix: str, sid: str, now: datetime) -> list[CarrierEvent]:
    """Return an opt-out or bounce, if the status says that the number does not exist or its owner replied STOP."""
    code = _count(values.get("ErrorCode"))
    if not values.get("To") or code not in OPTED_OUT | _NO_SUCH_NUMBER:
        return []
    return [
        ContactEvent(
            channel=channel,
            event_id=f"{sid}:{code}",
            address=bare(values["To"], prefix),
            kind=ContactKind.STOP if code in OPTED_OUT else ContactKind.BOUNCE,
            occurred_at=now,
            detail={"code": str(code), "error": _words(values)},
        )
    ]


def unknown(values: Values, channel: str, now: datetime, reason: str) -> UnknownEvent:
    """Return an unknown event with its payload. A digest makes the same payload the same event."""
    payload = _as_received(values)
    digest = hashlib.sha256(payload.encode("utf-8", "replace")).hexdigest()
    return UnknownEvent(channel=channel, event_id=f"unknown:{digest}", occurred_at=now, payload=payload, reason=reason)


def _as_received(values: Values) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True)


def bare(address: str, prefix: str) -> str:
    """Return the address without Twilio's prefix ``whatsapp:``."""
    return address.removeprefix(prefix)


def _count(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0

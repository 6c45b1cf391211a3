"""Twilio's calls about messages, as events. Fields: https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks"""

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

#: "Sent" here means that the carrier has it; what Twilio calls its queue is already that.
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
#: The number does not exist (any more); 30003 and 30006 may be a telephone that is off or a landline.
_NO_SUCH_NUMBER = frozenset({30005})
_OPT_OUT_TYPES = {"STOP": ContactKind.STOP, "START": ContactKind.START}
_MOST_MEDIA = 10


def events(values: Values, *, channel: str, prefix: str, message_id: str = "") -> list[CarrierEvent]:
    """What one call says. Never raises: what can't be read is an UnknownEvent with the payload."""
    now = timezone.now()
    sid = values.get("MessageSid") or values.get("SmsSid") or ""
    status = (values.get("MessageStatus") or values.get("SmsStatus") or "").lower()
    if sid and values.get("From") and status in ("", "received", "receiving") and _says_something(values):
        return [message(values, channel, prefix, now), *contact(values, channel, prefix, now)]
    if sid and status in _STATUS:
        said = _status(values, channel, sid=sid, status=status, message_id=message_id, now=now)
        return [said, *_ended(values, channel, prefix, sid, now)]
    return [unknown(values, channel, now, f"neither a message nor a known status ({status or 'none'})")]


def _says_something(values: Values) -> bool:
    return "Body" in values or _count(values.get("NumMedia")) > 0 or "Latitude" in values


def message(values: Values, channel: str, prefix: str, now: datetime) -> InboundMessage:
    """The customer's message. Twilio does not say when it was written: the time is that of the call."""
    sid = values.get("MessageSid") or values["SmsSid"]
    replied = values.get("OriginalRepliedMessageSid", "")
    media = tuple(
        MediaRef(ref=values[f"MediaUrl{place}"], content_type=values.get(f"MediaContentType{place}", ""))
        for place in range(min(_count(values.get("NumMedia")), _MOST_MEDIA))
        if values.get(f"MediaUrl{place}")
    )
    return InboundMessage(
        channel=channel,
        event_id=sid,
        carrier_id=sid,
        from_address=bare(values["From"], prefix),
        from_name=values.get("ProfileName", ""),
        to_address=bare(values.get("To", ""), prefix),
        text=_text(values) or "\n".join(placeholders.of_file(one.content_type) for one in media),
        occurred_at=now,
        references=(replied,) if replied else (),
        media=media,
        details={"event": _as_received(values)},
    )


def _text(values: Values) -> str:
    """What was written; for a pressed button its words, for a place its name and coordinates."""
    written = values.get("Body") or values.get("ButtonText") or ""
    if values.get("Latitude") and not written:
        at = f"{values['Latitude']},{values.get('Longitude', '')}"
        return placeholders.of_place(values.get("Label"), values.get("Address"), at)
    return written


def contact(values: Values, channel: str, prefix: str, now: datetime) -> list[ContactEvent]:
    """STOP or START: what Twilio understood (Advanced Opt-Out), else the words it acts upon by default."""
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
    """A status may tell that the number is none, or that its owner has said STOP to Twilio."""
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
    """Kept with its payload; the same payload twice is one event."""
    payload = _as_received(values)
    digest = hashlib.sha256(payload.encode("utf-8", "replace")).hexdigest()
    return UnknownEvent(channel=channel, event_id=f"unknown:{digest}", occurred_at=now, payload=payload, reason=reason)


def _as_received(values: Values) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True)


def bare(address: str, prefix: str) -> str:
    """An address without Twilio's ``whatsapp:``."""
    return address.removeprefix(prefix)


def _count(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0

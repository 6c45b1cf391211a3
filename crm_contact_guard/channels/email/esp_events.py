"""Convert Anymail's normalised events from email services to carrier events."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.generator import Generator
from typing import Any

from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, EventType, RejectReason

from crm_contact_guard.channels.base import (
    CarrierEvent,
    ContactEvent,
    ContactKind,
    DeliveryStatus,
    InboundMessage,
    StatusEvent,
    UnknownEvent,
)
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.channels.email.refusals import is_gone, status_code

#: Key for our message ID in the metadata that the service returns.
METADATA_KEY = "contact_guard_message"
#: Number of characters of a payload that are stored. The bytes of an email are stored completely.
MAX_PAYLOAD = 100_000

_STATUS = {
    EventType.QUEUED: DeliveryStatus.QUEUED,
    # The receiving server asked the service to retry later.
    EventType.DEFERRED: DeliveryStatus.QUEUED,
    EventType.SENT: DeliveryStatus.SENT,
    EventType.DELIVERED: DeliveryStatus.DELIVERED,
    EventType.OPENED: DeliveryStatus.READ,
    EventType.CLICKED: DeliveryStatus.READ,
    EventType.REJECTED: DeliveryStatus.FAILED,
    EventType.FAILED: DeliveryStatus.FAILED,
    EventType.BOUNCED: DeliveryStatus.FAILED,
}
_CONTACT = {
    EventType.COMPLAINED: ContactKind.COMPLAINT,
    EventType.UNSUBSCRIBED: ContactKind.UNSUBSCRIBE,
    EventType.SUBSCRIBED: ContactKind.START,
}
#: Reasons why a service suppresses an address.
_SUPPRESSED = {
    RejectReason.INVALID: ContactKind.BOUNCE,
    RejectReason.BOUNCED: ContactKind.BOUNCE,
    RejectReason.SPAM: ContactKind.COMPLAINT,
    RejectReason.UNSUBSCRIBED: ContactKind.UNSUBSCRIBE,
}
#: Fields by which a service marks an event as a permanent bounce. The receiving server's code, if present, takes
#: precedence.
_PERMANENT = (
    ("Type", "HardBounce"),  # Postmark
    ("Type", "BadEmailAddress"),
    ("event", "hard_bounce"),  # Brevo
    ("event", "invalid_email"),
)
#: Fields showing that the tracking image was loaded by a machine (Apple's mail privacy, a virus scanner), not by a
#: reader.
_MACHINE_OPENED = (("sg_machine_open", True), ("event", "proxy_open"), ("event", "unique_proxy_open"))


def tracking_events(event: AnymailTrackingEvent, *, alias: str, esp: str) -> Iterator[CarrierEvent]:
    """Convert one event about a sent email to a status event, a contact event, both, or an unknown event."""
    event_id = event_id_of(event)
    at = event.timestamp or datetime.now(UTC)
    detail = _detail(event, esp)
    status = _STATUS.get(event.event_type)
    if status is DeliveryStatus.READ and _marked(event.esp_event, _MACHINE_OPENED):
        status = DeliveryStatus.DELIVERED
    if status is not None:
        yield StatusEvent(
            channel=alias,
            event_id=event_id,
            carrier_id=event.message_id or "",
            message_id=str((event.metadata or {}).get(METADATA_KEY) or ""),
            status=status,
            occurred_at=at,
            detail=detail,
        )
    kind = _contact_kind(event)
    if kind is not None and event.recipient:
        yield ContactEvent(
            channel=alias,
            event_id=f"{event_id}:contact",
            address=event.recipient,
            kind=kind,
            occurred_at=at,
            detail=detail,
        )
    elif status is None:
        yield unknown(event.esp_event, alias=alias, event_id=event_id, reason=f"{esp}: {event.event_type}", at=at)


def inbound_events(event: AnymailInboundEvent, *, alias: str, esp: str) -> tuple[CarrierEvent, ...]:
    """Convert a received email. It is deduplicated by its Message-ID, or by the service's ID if it has none."""
    mail = event.message
    if mail is None:
        reason = f"{esp}: {event.event_type}"
        return (unknown(event.esp_event, alias=alias, event_id=event_id_of(event), reason=reason),)
    recipient = mail.envelope_recipient
    events = read_mail(
        _bytes(mail), alias=alias, envelope_from=mail.envelope_sender, envelope_to=[recipient] if recipient else []
    )
    return tuple(
        replace(received, event_id=_received_id(received, event), references=_bare(received.references))
        if isinstance(received, InboundMessage)
        else received
        for received in events
    )


def unknown(payload: object, *, alias: str, event_id: str, reason: str, at: datetime | None = None) -> UnknownEvent:
    """Return an unknown event with its payload."""
    text = payload if isinstance(payload, str) else _json(payload)
    return UnknownEvent(
        channel=alias,
        event_id=event_id[:240],
        occurred_at=at or datetime.now(UTC),
        payload=text[:MAX_PAYLOAD],
        reason=reason,
    )


def event_id_of(event: AnymailTrackingEvent | AnymailInboundEvent) -> str:
    """Return the service's ID for the event, or a digest of its payload.

    The digest stays the same if the service repeats the event.
    """
    key = event.event_id or hashlib.sha256(_json(event.esp_event).encode("utf-8", "replace")).hexdigest()
    return f"{event.event_type}:{key}"[:200]


def _received_id(received: InboundMessage, event: AnymailInboundEvent) -> str:
    return received.event_id if received.carrier_id or not event.event_id else event_id_of(event)


def _bare(references: tuple[str, ...]) -> tuple[str, ...]:
    """Return the referenced Message-IDs together with their parts before the ``@``.

    Some services (Postmark, Amazon SES) identify an email by that part, so our emails are recorded under it.
    """
    parts = (part for whole in references for part in (whole, whole.strip("<>").partition("@")[0]))
    return tuple(dict.fromkeys(parts))


def _bytes(mail: Any) -> bytes:
    """Return the email as the service received it, or else rebuild it from what the service parsed.

    The email's own policy is only the second choice for this, since it parses headers in more than linear time.
    """
    if getattr(mail, "raw", None) is not None:
        return bytes(mail.raw)
    for style in (policy.compat32, mail.policy):
        with suppress(Exception):
            return bytes(mail.as_bytes(policy=style))
    output = io.StringIO()
    Generator(output, policy=policy.compat32).flatten(mail)
    return output.getvalue().encode("utf-8", "replace")


def _contact_kind(event: AnymailTrackingEvent) -> ContactKind | None:
    if event.event_type == EventType.REJECTED:
        return _SUPPRESSED.get(event.reject_reason)
    if event.event_type == EventType.BOUNCED:
        return ContactKind.BOUNCE if _is_permanent(event) else None
    return _CONTACT.get(event.event_type)


def _is_permanent(event: AnymailTrackingEvent) -> bool:
    payload = event.esp_event if isinstance(event.esp_event, Mapping) else {}
    texts = (payload.get("status"), event.mta_response, event.description)
    code = next((code for text in texts if text and (code := status_code(str(text)))), "")
    if code:
        return is_gone(code)
    bounce = payload.get("bounce")
    amazon = bounce.get("bounceType") == "Permanent" if isinstance(bounce, Mapping) else False
    return amazon or _marked(payload, _PERMANENT)


def _marked(payload: object, marks: tuple[tuple[str, object], ...]) -> bool:
    return isinstance(payload, Mapping) and any(payload.get(name) == value for name, value in marks)


def _detail(event: AnymailTrackingEvent, esp: str) -> dict[str, str]:
    detail = {
        "service": esp,
        "event": event.event_type,
        "reason": event.reject_reason,
        "answer": event.mta_response,
        "description": event.description,
    }
    return {name: str(text)[:500] for name, text in detail.items() if text}


def _json(payload: object) -> str:
    if hasattr(payload, "POST"):  # a request with form data
        payload = {name: payload.POST.getlist(name) for name in payload.POST}
    return json.dumps(payload, sort_keys=True, default=str, ensure_ascii=False)

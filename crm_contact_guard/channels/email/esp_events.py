"""Anymail's normalised events, from whichever mail service, as events for the record."""

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
from crm_contact_guard.channels.email.reports import is_gone, status_code

#: The name under which a mail service hands our message id back.
METADATA_KEY = "contact_guard_message"
#: More of a payload than this is not kept: a mail's own bytes are, whatever they weigh.
MAX_PAYLOAD = 100_000

_STATUS = {
    EventType.QUEUED: DeliveryStatus.QUEUED,
    # Still on its way: the receiving server asked the service to come again later.
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
#: Why a service refuses to send to an address: what happened there earlier.
_SUPPRESSED = {
    RejectReason.INVALID: ContactKind.BOUNCE,
    RejectReason.BOUNCED: ContactKind.BOUNCE,
    RejectReason.SPAM: ContactKind.COMPLAINT,
    RejectReason.UNSUBSCRIBED: ContactKind.UNSUBSCRIBE,
}
#: Where a service itself calls a bounce permanent; the receiving server's code, if there is one, comes first.
_PERMANENT = (
    ("Type", "HardBounce"),  # Postmark
    ("Type", "BadEmailAddress"),
    ("event", "hard_bounce"),  # Brevo
    ("event", "invalid_email"),
)
#: An image that a machine loaded: Apple's mail privacy, a virus scanner. Nobody has read anything.
_MACHINE_OPENED = (("sg_machine_open", True), ("event", "proxy_open"), ("event", "unique_proxy_open"))


def tracking_events(found: AnymailTrackingEvent, *, alias: str, esp: str) -> Iterator[CarrierEvent]:
    """One event of a mail service about a mail of ours: its status, what it means for the address, or neither."""
    event_id = event_id_of(found)
    at = found.timestamp or datetime.now(UTC)
    detail = _detail(found, esp)
    status = _STATUS.get(found.event_type)
    if status is DeliveryStatus.READ and _marked(found.esp_event, _MACHINE_OPENED):
        status = DeliveryStatus.DELIVERED
    if status is not None:
        yield StatusEvent(
            channel=alias,
            event_id=event_id,
            carrier_id=found.message_id or "",
            message_id=str((found.metadata or {}).get(METADATA_KEY) or ""),
            status=status,
            occurred_at=at,
            detail=detail,
        )
    kind = _contact_kind(found)
    if kind is not None and found.recipient:
        yield ContactEvent(
            channel=alias,
            event_id=f"{event_id}:contact",
            address=found.recipient,
            kind=kind,
            occurred_at=at,
            detail=detail,
        )
    elif status is None:
        yield unknown(found.esp_event, alias=alias, event_id=event_id, reason=f"{esp}: {found.event_type}", at=at)


def inbound_events(found: AnymailInboundEvent, *, alias: str, esp: str) -> tuple[CarrierEvent, ...]:
    """A mail that a service received for us. Recorded once by its Message-ID, else by the service's id of it."""
    mail = found.message
    if mail is None:
        reason = f"{esp}: {found.event_type}"
        return (unknown(found.esp_event, alias=alias, event_id=event_id_of(found), reason=reason),)
    recipient = mail.envelope_recipient
    events = read_mail(
        _bytes(mail), alias=alias, envelope_from=mail.envelope_sender, envelope_to=[recipient] if recipient else []
    )
    return tuple(
        replace(event, event_id=_received_id(event, found), references=_bare(event.references))
        if isinstance(event, InboundMessage)
        else event
        for event in events
    )


def unknown(payload: object, *, alias: str, event_id: str, reason: str, at: datetime | None = None) -> UnknownEvent:
    """An event kept as it came."""
    text = payload if isinstance(payload, str) else _json(payload)
    return UnknownEvent(
        channel=alias,
        event_id=event_id[:240],
        occurred_at=at or datetime.now(UTC),
        payload=text[:MAX_PAYLOAD],
        reason=reason,
    )


def event_id_of(found: AnymailTrackingEvent | AnymailInboundEvent) -> str:
    """The service's id of the event; where it has none, a digest of what it said, which a repetition repeats."""
    named = found.event_id or hashlib.sha256(_json(found.esp_event).encode("utf-8", "replace")).hexdigest()
    return f"{found.event_type}:{named}"[:200]


def _received_id(event: InboundMessage, found: AnymailInboundEvent) -> str:
    return event.event_id if event.carrier_id or not found.event_id else event_id_of(found)


def _bare(references: tuple[str, ...]) -> tuple[str, ...]:
    """The ids that mails refer to, and what stands in front of their ``@``: some services (Postmark, Amazon SES) name a
    mail by that part alone, and that is how it is on record."""
    parts = (part for whole in references for part in (whole, whole.strip("<>").partition("@")[0]))
    return tuple(dict.fromkeys(parts))


def _bytes(mail: Any) -> bytes:
    """The mail as bytes. Hostile headers break the standard library's writers, the strict one first."""
    for style in (mail.policy, policy.compat32):
        with suppress(Exception):
            return bytes(mail.as_bytes(policy=style))
    written = io.StringIO()
    Generator(written, policy=policy.compat32).flatten(mail)
    return written.getvalue().encode("utf-8", "replace")


def _contact_kind(found: AnymailTrackingEvent) -> ContactKind | None:
    if found.event_type == EventType.REJECTED:
        return _SUPPRESSED.get(found.reject_reason)
    if found.event_type == EventType.BOUNCED:
        return ContactKind.BOUNCE if _is_permanent(found) else None
    return _CONTACT.get(found.event_type)


def _is_permanent(found: AnymailTrackingEvent) -> bool:
    payload = found.esp_event if isinstance(found.esp_event, Mapping) else {}
    said = (payload.get("status"), found.mta_response, found.description)
    code = next((code for text in said if text and (code := status_code(str(text)))), "")
    if code:
        return is_gone(code)
    bounce = payload.get("bounce")
    amazon = bounce.get("bounceType") == "Permanent" if isinstance(bounce, Mapping) else False
    return amazon or _marked(payload, _PERMANENT)


def _marked(payload: object, marks: tuple[tuple[str, object], ...]) -> bool:
    return isinstance(payload, Mapping) and any(payload.get(name) == value for name, value in marks)


def _detail(found: AnymailTrackingEvent, esp: str) -> dict[str, str]:
    said = {
        "service": esp,
        "event": found.event_type,
        "reason": found.reject_reason,
        "answer": found.mta_response,
        "description": found.description,
    }
    return {name: str(text)[:500] for name, text in said.items() if text}


def _json(payload: object) -> str:
    if hasattr(payload, "POST"):  # a form as Django read it
        payload = {name: payload.POST.getlist(name) for name in payload.POST}
    return json.dumps(payload, sort_keys=True, default=str, ensure_ascii=False)

"""Mails written by machines: delivery reports (RFC 3464) and automatic replies (RFC 3834).

A report can be forged by anyone who knows one of our addresses. It is therefore accepted only if it contains the
Message-ID of one of our mails, and only for that mail's recipient (``ContactEvent.carrier_id``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from crm_contact_guard.channels.base import CarrierEvent, ContactEvent, ContactKind, DeliveryStatus, StatusEvent

#: Enhanced status codes (RFC 3463, RFC 7505) for a mailbox that does not exist, not just one refused mail.
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_ACTIONS = {
    "failed": DeliveryStatus.FAILED,
    "delayed": DeliveryStatus.QUEUED,
    "delivered": DeliveryStatus.DELIVERED,
    "relayed": DeliveryStatus.SENT,
    "expanded": DeliveryStatus.SENT,
}
_REPORT_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED_TYPES = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_ID = re.compile(r"^message-id:\s*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
#: Genuine reports list few recipients; the rest is ignored.
_MOST_RECIPIENTS = 20


def status_code(text: str) -> str:
    """The first enhanced status code (RFC 3463) in a mail server's reply; "" if there is none."""
    match = _CODE.search(text)
    return match.group() if match else ""


def is_gone(code: str) -> bool:
    """Whether an enhanced status code means that the address permanently accepts no mail."""
    return code in _GONE


@dataclass(frozen=True)
class Recipient:
    """The status of one recipient in a report."""

    address: str
    status: DeliveryStatus
    code: str
    diagnostic: str


@dataclass(frozen=True)
class Report:
    """A delivery report on the mail with Message-ID ``original``."""

    original: str
    recipients: tuple[Recipient, ...]

    def events(self, *, alias: str, event_id: str, at: datetime) -> tuple[CarrierEvent, ...]:
        """A status event for each recipient, and a bounce for each mailbox that does not exist."""
        events: list[CarrierEvent] = []
        for number, recipient in enumerate(self.recipients):
            own_id = f"{event_id[:240]}#{number}" if number else event_id[:240]
            detail = {"code": recipient.code, "diagnostic": recipient.diagnostic, "recipient": recipient.address}
            events.append(
                StatusEvent(
                    channel=alias,
                    event_id=own_id,
                    carrier_id=self.original,
                    # Our Message-IDs begin with our id of the message.
                    message_id=self.original.strip("<>").partition("@")[0],
                    status=recipient.status,
                    occurred_at=at,
                    detail={name: text for name, text in detail.items() if text},
                )
            )
            if recipient.status is DeliveryStatus.FAILED and is_gone(recipient.code) and recipient.address:
                events.append(
                    ContactEvent(
                        channel=alias,
                        event_id=f"{own_id}:contact",
                        address=recipient.address,
                        kind=ContactKind.BOUNCE,
                        occurred_at=at,
                        carrier_id=self.original,
                        detail={"code": recipient.code, "diagnostic": recipient.diagnostic},
                    )
                )
        return tuple(events)


def delivery_report(mail: Message) -> Report | None:
    """Parse a delivery report. None for other mails, and for reports that do not identify the mail."""
    if mail.get_content_type() != "multipart/report":
        return None
    original = next((message_id for part in mail.walk() if (message_id := _returned_id(part))), "")
    recipients = tuple(recipient for part in mail.walk() for recipient in _recipients(part))[:_MOST_RECIPIENTS]
    return Report(original, recipients) if original and recipients else None


def automatic(mail: Message, envelope_from: str | None) -> str:
    """Why a mail counts as automatic (RFC 3834 §5, and older headers); "" if a person wrote it."""
    submitted = _field(mail, "Auto-Submitted")
    if submitted and submitted.lower() != "no":
        return submitted[:100]
    precedence = _field(mail, "Precedence").lower()
    if precedence in ("auto_reply", "bulk", "junk", "list"):
        return f"precedence {precedence}"
    for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"):
        if _field(mail, name):
            return name.lower()
    return "null sender" if envelope_from == "" or _field(mail, "Return-Path") == "<>" else ""


def _recipients(part: Message) -> Iterator[Recipient]:
    blocks = part.get_payload() if part.get_content_type() in _REPORT_TYPES else None
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, Message):
            continue
        action = _field(block, "Action").partition(" ")[0].lower()
        if action not in _ACTIONS:
            continue
        diagnostic = _after_type(_field(block, "Diagnostic-Code"))[:500]
        address = _after_type(_field(block, "Original-Recipient")) or _after_type(_field(block, "Final-Recipient"))
        yield Recipient(
            address=address.strip("<> ")[:320],
            status=_ACTIONS[action],
            code=status_code(_field(block, "Status")) or status_code(diagnostic),
            diagnostic=diagnostic,
        )


def _returned_id(part: Message) -> str:
    """The Message-ID in the returned mail or in its header."""
    if part.get_content_type() not in _RETURNED_TYPES:
        return ""
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        value = _field(payload[0], "Message-ID")
        return match.group(1) if (match := _ID.search(f"Message-ID: {value}")) else ""
    content = part.get_payload(decode=True)
    head = content[:100_000].decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return match.group(1) if (match := _ID.search(head.replace("\r\n", "\n"))) else ""


def _field(mail: Message, name: str) -> str:
    """A header's raw text; parsing it raises various exceptions on malformed input."""
    text = next((str(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")
    return " ".join(text.split())


def _after_type(value: str) -> str:
    """The value of ``rfc822; a@b`` or ``smtp; 550 …`` without the type."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon else kind.strip()

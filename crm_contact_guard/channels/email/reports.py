"""Mails written by machines: delivery reports (RFC 3464), complaints (RFC 5965) and automatic replies (RFC 3834).

A report can be forged by anyone who knows one of our addresses. What it says about an address is therefore believed
only if it names one of our mails, or came to the reply address of a conversation, and only for their recipient
(``ContactEvent.is_forgeable``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr
from itertools import islice

from crm_contact_guard.channels.base import CarrierEvent, ContactEvent, ContactKind, DeliveryStatus, StatusEvent
from crm_contact_guard.channels.email import bounces
from crm_contact_guard.channels.email.mime_text import RAW, payload, raw_header
from crm_contact_guard.channels.email.parts import leaves
from crm_contact_guard.channels.email.patterns import listed
from crm_contact_guard.channels.email.refusals import is_gone, status_code

_ACTIONS = {
    "failed": DeliveryStatus.FAILED,
    "delayed": DeliveryStatus.QUEUED,
    "delivered": DeliveryStatus.DELIVERED,
    "relayed": DeliveryStatus.SENT,
    "expanded": DeliveryStatus.SENT,
}
_REPORT_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
#: Feedback types (RFC 5965 §7.3 and its registry) by which a recipient doesn't want our mails. Not "not-spam" and the
#: reports on authentication.
_COMPLAINTS = frozenset({"abuse", "fraud", "miscategorized", "other", "opt-out", "opt-out-list"})
#: Headers of our mails with the reply token.
_OURS = ("Return-Path", "Reply-To", "From", "Sender")
_TOKEN = re.compile(r"\+([a-z0-9]{20})@", re.IGNORECASE)
#: Genuine reports list few recipients; the rest is ignored.
_MOST_RECIPIENTS = 20


@dataclass(frozen=True)
class Recipient:
    """The status of one recipient in a report."""

    address: str
    status: DeliveryStatus
    code: str
    diagnostic: str

    @property
    def is_gone(self) -> bool:
        """Whether the address permanently accepts no mail."""
        return self.status is DeliveryStatus.FAILED and bool(self.address) and is_gone(self.code, self.diagnostic)

    @property
    def says_little(self) -> bool:
        """Whether neither code nor diagnostic gives a reason: "5.0.0", "failed"."""
        is_failed = self.status is DeliveryStatus.FAILED
        return is_failed and (not self.code or self.code.endswith(".0.0")) and len(self.diagnostic) < 25


@dataclass(frozen=True)
class Report:
    """A delivery report, server's letter or complaint about the mail with Message-ID ``original`` ("" if unknown)."""

    original: str
    recipients: tuple[Recipient, ...]
    #: Our reply tokens in the addresses that the report was sent to.
    tokens: tuple[str, ...] = ()
    kind: ContactKind = ContactKind.BOUNCE
    #: Whether the events tell all that the mail says. Otherwise the mail is recorded as well.
    is_complete: bool = False

    def events(self, *, alias: str, event_id: str, at: datetime) -> tuple[CarrierEvent, ...]:
        """A status for each recipient of a known mail, and a word about each address that is gone or complained."""
        events: list[CarrierEvent] = []
        for number, recipient in enumerate(self.recipients):
            own_id = f"{event_id[:230]}#{number}" if number else event_id[:230]
            detail = {"code": recipient.code, "diagnostic": recipient.diagnostic, "recipient": recipient.address}
            detail = {name: text for name, text in detail.items() if text}
            is_complaint = self.kind is ContactKind.COMPLAINT
            if self.original and not is_complaint:
                events.append(
                    StatusEvent(
                        channel=alias,
                        event_id=own_id,
                        carrier_id=self.original,
                        # Our Message-IDs begin with our id of the message.
                        message_id=self.original.strip("<>").partition("@")[0],
                        status=recipient.status,
                        occurred_at=at,
                        detail=detail,
                    )
                )
            if is_complaint or recipient.is_gone:
                events.append(
                    ContactEvent(
                        channel=alias,
                        event_id=f"{own_id}:contact",
                        address=recipient.address,
                        kind=self.kind,
                        occurred_at=at,
                        carrier_id=self.original,
                        reply_tokens=self.tokens,
                        is_forgeable=True,
                        detail=detail,
                    )
                )
        return tuple(events)


def read_report(mail: Message, *, envelope_from: str | None, tokens: tuple[str, ...]) -> Report | None:
    """Read a bounce or a complaint. None for other mails."""
    complaint = _complaint(mail, tokens)
    if complaint is not None:
        return complaint
    if not bounces.is_bounce(mail, is_null_sender=_is_null(mail, envelope_from)):
        return None
    original = bounces.original_id(mail)
    found = (recipient for part, _depth in leaves(mail) for recipient in _recipients(part))
    told = tuple(islice(found, _MOST_RECIPIENTS))
    if told:
        if any(recipient.says_little for recipient in told):
            told = tuple(_explained(recipient, mail) for recipient in told)
        return Report(original, told, tokens, is_complete=bool(original))
    letters = bounces.recipients(mail)
    return Report(original, tuple(_from_letter(address, words) for address, words in letters), tokens)


def _complaint(mail: Message, tokens: tuple[str, ...]) -> Report | None:
    """A feedback report (ARF, RFC 5965), of which services often strike out the recipient."""
    fields = next((found for part, _depth in leaves(mail) if (found := _feedback(part)) is not None), None)
    inner = bounces.returned(mail)
    struck = _field(inner, "X-HmXmrOriginalRecipient") if inner is not None else ""
    if fields is None and not struck:
        return None
    kind = _field(fields, "Feedback-Type").lower() if fields is not None else "abuse"
    if kind not in _COMPLAINTS:
        return None
    address = struck or (_field(fields, "Original-Rcpt-To") if fields is not None else "")
    if not address and inner is not None:
        address = parseaddr(raw_header(inner, "To"))[1]
    tokens = (*tokens, *(tokens_in([raw_header(inner, name) for name in _OURS]) if inner is not None else ()))
    original = bounces.original_id(mail)
    recipient = Recipient(_after_type(address).strip("<> ")[:320], DeliveryStatus.DELIVERED, "", kind)
    return Report(original, (recipient,), tokens, ContactKind.COMPLAINT, is_complete=bool(original))


def _feedback(part: Message) -> Message | None:
    if part.get_content_type() != "message/feedback-report":
        return None
    inner = part.get_payload()
    if isinstance(inner, list):
        return inner[0] if inner and isinstance(inner[0], Message) else None
    return message_from_bytes(payload(part)[:20_000], policy=RAW)


def _explained(recipient: Recipient, mail: Message) -> Recipient:
    """With the letter's words where the fields give no reason."""
    if not recipient.says_little:
        return recipient
    letter = bounces.letter(mail)
    return replace(recipient, diagnostic=f"{recipient.diagnostic} {letter}".strip()[:500])


def _from_letter(address: str, words: str) -> Recipient:
    is_waiting = listed("waiting").search(words) is not None
    status = DeliveryStatus.QUEUED if is_waiting else DeliveryStatus.FAILED
    return Recipient(address[:320], status, status_code(words), " ".join(words.split())[:500])


def tokens_in(addresses: Iterable[str]) -> tuple[str, ...]:
    """Our reply tokens in some addresses."""
    return tuple(dict.fromkeys(token.lower() for address in addresses for token in _TOKEN.findall(address)))


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
    if _is_null(mail, envelope_from):
        return "null sender"
    if mail.get_content_type() == "multipart/report" or bounces.is_bounce(mail, is_null_sender=False):
        return "report"
    return ""


def _is_null(mail: Message, envelope_from: str | None) -> bool:
    return envelope_from == "" or _field(mail, "Return-Path") == "<>"


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


def _field(mail: Message, name: str) -> str:
    """A header's raw text; parsing it raises various exceptions on malformed input."""
    text = next((str(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")
    return " ".join(text.split())


def _after_type(value: str) -> str:
    """The value of ``rfc822; a@b`` or ``smtp; 550 …`` without the type."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon else kind.strip()

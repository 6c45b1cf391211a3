"""Emails written by machines: delivery reports (RFC 3464), complaints (RFC 5965) and automatic replies (RFC 3834).

Anyone who knows one of our addresses can forge a report. What it says about an address is therefore believed only if
the report names one of our emails or was sent to the reply address of a conversation, and only for the recipient of
that email or conversation (``ContactEvent.is_forgeable``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import Message
from itertools import islice

from crm_contact_guard.channels.base import CarrierEvent, ContactEvent, ContactKind, DeliveryStatus, StatusEvent
from crm_contact_guard.channels.email import bounces
from crm_contact_guard.channels.email.addresses import first_address
from crm_contact_guard.channels.email.mime_text import payload, raw_header
from crm_contact_guard.channels.email.parts import leaves
from crm_contact_guard.channels.email.patterns import listed
from crm_contact_guard.channels.email.refusals import is_gone, status_code
from crm_contact_guard.channels.email.structure import read

_ACTIONS = {
    "failed": DeliveryStatus.FAILED,
    "delayed": DeliveryStatus.QUEUED,
    "delivered": DeliveryStatus.DELIVERED,
    "relayed": DeliveryStatus.SENT,
    "expanded": DeliveryStatus.SENT,
}
_REPORT_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
#: Feedback types (RFC 5965 §7.3 and its registry) by which a recipient says that our emails are unwanted. "not-spam"
#: and the reports on authentication are left out.
_COMPLAINTS = frozenset({"abuse", "fraud", "miscategorized", "other", "opt-out", "opt-out-list"})
#: Headers of our emails that contain the reply token.
_OURS = ("Return-Path", "Reply-To", "From", "Sender")
_TOKEN = re.compile(r"\+([a-z0-9]{20})@", re.IGNORECASE)
#: Number of recipients that are read. Genuine reports list few; the rest is ignored.
_MOST_RECIPIENTS = 20


#: Addresses that no person reads.
_ROBOT = re.compile(
    r"(?:no|do[-_.]?not)[-_.]?reply[^@]*@|(?:mailer-daemon|postmaster|bounces?|listserv|majordomo|notifications?)"
    r"(?:[-+][^@]*)?@|owner-[^@]*@|[^@]*-(?:request|owner|bounces?)@",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Recipient:
    """The status of one recipient in a report."""

    address: str
    status: DeliveryStatus
    code: str
    diagnostic: str

    @property
    def is_gone(self) -> bool:
        """Whether the address permanently rejects mail."""
        return self.status is DeliveryStatus.FAILED and bool(self.address) and is_gone(self.code, self.diagnostic)

    @property
    def says_little(self) -> bool:
        """Whether the code and the diagnostic both fail to give a reason, as with "5.0.0" and "failed"."""
        is_failed = self.status is DeliveryStatus.FAILED
        return is_failed and (not self.code or self.code.endswith(".0.0")) and len(self.diagnostic) < 25


@dataclass(frozen=True)
class Report:
    """A delivery report, bounce or complaint about the email whose Message-ID is ``original`` ("" if unknown)."""

    original: str
    recipients: tuple[Recipient, ...]
    #: Our reply tokens in the addresses that the report was sent to and, for a complaint, in the returned email.
    tokens: tuple[str, ...] = ()
    kind: ContactKind = ContactKind.BOUNCE
    #: Whether the events contain everything that the report says. Otherwise, the email is recorded as well.
    is_complete: bool = False

    def events(self, *, alias: str, event_id: str, at: datetime) -> tuple[CarrierEvent, ...]:
        """Return the events for all recipients.

        Each recipient gets a status event if the email is known, unless the report is a complaint. A contact event is
        added if the address is gone or its owner complained.
        """
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
                        # Our Message-IDs begin with our message ID.
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
    """Read a bounce or a complaint. Return None for any other email."""
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
    """Read a feedback report (ARF, RFC 5965), from which services often remove the recipient's address."""
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
        address = first_address(raw_header(inner, "To"))[1]
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
    return read(payload(part)[:20_000])


def _explained(recipient: Recipient, mail: Message) -> Recipient:
    """Add the bounce's own words to the diagnostic if the report's fields give no reason."""
    if not recipient.says_little:
        return recipient
    letter = bounces.letter(mail)
    return replace(recipient, diagnostic=f"{recipient.diagnostic} {letter}".strip()[:500])


def _from_letter(address: str, words: str) -> Recipient:
    is_waiting = listed("waiting").search(words) is not None
    status = DeliveryStatus.QUEUED if is_waiting else DeliveryStatus.FAILED
    return Recipient(address[:320], status, status_code(words), " ".join(words.split())[:500])


def tokens_in(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return our reply tokens that occur in the addresses."""
    return tuple(dict.fromkeys(token.lower() for address in addresses for token in _TOKEN.findall(address)))


def automatic(mail: Message, envelope_from: str | None) -> str:
    """Return why an email counts as automatic (RFC 3834 §5, and older headers); "" if a person wrote it."""
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


def unanswerable(mail: Message, senders: Iterable[str | None]) -> str:
    """Return why an email must not be answered automatically although a person may have written it (RFC 3834 §2).

    ``senders`` are its addresses in From and in the envelope. Return "" for all other emails.
    """
    listed_as = next((name for name, _value in mail.raw_items() if name.lower().startswith("list-")), "")
    if listed_as:
        return listed_as[:100].lower()
    suppressed = _field(mail, "X-Auto-Response-Suppress").lower()
    if any(word in suppressed for word in ("all", "autoreply", "oof")):
        return "x-auto-response-suppress"
    if any(_ROBOT.match(sender) for sender in senders if sender):
        return "sender"
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
    """Return a header's raw text. Parsing it would raise various exceptions on malformed input."""
    text = next((str(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")
    return " ".join(text.split())


def _after_type(value: str) -> str:
    """Return the value of ``rfc822; a@b`` or ``smtp; 550 …`` without the type."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon else kind.strip()

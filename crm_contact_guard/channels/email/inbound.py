"""Parse a received mail (RFC 5322, MIME): sender, date, reply tokens, new and quoted text, files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parseaddr, parsedate_to_datetime

from crm_contact_guard.channels.base import CarrierEvent, FileIn, InboundMessage
from crm_contact_guard.channels.email.html_text import html_text
from crm_contact_guard.channels.email.mime_text import RAW, raw_header, text_of, words
from crm_contact_guard.channels.email.parts import attached_mails, content, files, leaves, texts
from crm_contact_guard.channels.email.quoting import Parts, split
from crm_contact_guard.channels.email.reports import automatic, read_report, tokens_in
from crm_contact_guard.detection.segments import Said

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_TARGET = re.compile(r" ?<(?:https?://|mailto:|tel:)([^<>\s]{1,2000})>")
#: Header lines shown above the text of an attached mail.
_SHOWN = ("From", "Date", "To", "Subject")
#: Attached mails within attached mails that are read.
_MAX_DEPTH = 4


def read_mail(
    raw: bytes, *, alias: str, envelope_from: str | None, envelope_to: Sequence[str]
) -> tuple[CarrierEvent, ...]:
    """Convert a received mail to carrier events. Never raises because of the mail's content.

    A delivery report or complaint about one of our mails becomes events. Everything else becomes a message, with events
    where a server's letter tells of a bounce; the original mail is attached as a file, so that nothing is lost if its
    MIME is broken. ``envelope_from`` is empty for
    the null sender of reports and automatic replies, and None if it is unknown.
    """
    mail = message_from_bytes(raw, policy=RAW)
    message_id = next(iter(_ids(mail, "Message-ID")), "")
    now = datetime.now(UTC)
    event_id = _event_id(message_id, mail)
    tokens = _tokens(mail, envelope_to)
    report = read_report(mail, envelope_from=envelope_from, tokens=tokens)
    if report is not None and report.is_complete:
        return report.events(alias=alias, event_id=event_id, at=now)
    parts, problems = _body(mail)
    name, address = parseaddr(raw_header(mail, "From"))
    if not address:
        address = envelope_from or ""
        problems.append("no readable From")
    listed, more = files(mail)
    details: dict[str, object] = {
        "headers": {key: _header(mail, key)[:1000] for key in ("From", "To", "Cc", "Date", "Reply-To") if mail[key]},
        "envelope_from": envelope_from or "",
        "envelope_to": list(envelope_to),
    }
    if problems or mail.defects or more:
        details["problems"] = [*problems, *(type(defect).__name__ for defect in mail.defects), *more]
    machine = automatic(mail, envelope_from) or ("report" if report is not None else "")
    if machine:
        details["auto_submitted"] = machine
    message = InboundMessage(
        channel=alias,
        event_id=event_id,
        from_address=address[:320],
        from_name=words(name)[:255],
        to_address=", ".join(envelope_to)[:1000],
        subject=_header(mail, "Subject")[:1000],
        text=parts.new,
        quoted=parts.quoted,
        occurred_at=_date(mail, now),
        carrier_id=message_id,
        reply_tokens=tokens,
        references=tuple(dict.fromkeys((*_ids(mail, "References"), *_ids(mail, "In-Reply-To")))),
        files=(FileIn(name="original.eml", content_type="message/rfc822", content=raw, kind="original"), *listed),
        details=details,
    )
    told = () if report is None else report.events(alias=alias, event_id=f"report-{event_id}", at=now)
    return (message, *told)


def envelope_of(raw: bytes) -> tuple[str | None, list[str]]:
    """Envelope sender (None if unknown) and recipients, from the headers that the delivering server added."""
    mail = message_from_bytes(raw, policy=RAW)
    values = [value for name in ("Delivered-To", "X-Original-To", "Envelope-To") for value in mail.get_all(name, [])]
    recipients = [address for _, address in getaddresses([str(value) for value in values]) if address]
    sender = _header(mail, "Return-Path")
    return (parseaddr(sender)[1] if sender else None), list(dict.fromkeys(recipients))


def _event_id(message_id: str, mail: Message) -> str:
    """Message-ID and a digest of the content.

    A mail received twice is one event, but a different mail with the same Message-ID is not discarded. Headers are not
    part of the digest, since relays add to them; only without a Message-ID, From, To, Date and Subject are included.
    """
    digest = hashlib.sha256()
    for part, _depth in leaves(mail):
        digest.update(content(part).replace(b"\r\n", b"\n").rstrip() + b"\0")
    if not message_id:
        head = "\n".join(_header(mail, name) for name in ("From", "To", "Date", "Subject"))
        digest.update(head.encode("utf-8", "replace"))
    return f"{digest.hexdigest()[:32]}{message_id}"[:240]


def _header(mail: Message, name: str) -> str:
    """A header's decoded text on one line."""
    return " ".join(words(raw_header(mail, name)).split())


def _ids(mail: Message, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(mail, name))


def _date(mail: Message, now: datetime) -> datetime:
    """The mail's date if it is plausible (not in the future, at most 31 days old), otherwise the time of receipt."""
    try:
        date = parsedate_to_datetime(_header(mail, "Date"))
        date = (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return now
    return date if 0 <= (now - date).total_seconds() < 31 * 86_400 else now


def _tokens(mail: Message, envelope_to: Iterable[str]) -> tuple[str, ...]:
    headers = [raw_header(mail, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To")]
    addresses = [*envelope_to, *(address for _, address in getaddresses(headers))]
    return tokens_in(addresses)


def _body(mail: Message, depth: int = 0) -> tuple[Parts, list[str]]:
    """New and quoted text of the mail, and problems found. Attached mails count as quotes."""
    parts, problems = _text(mail)
    if depth < _MAX_DEPTH:
        attached = [_as_quote(one, depth + 1) for one in attached_mails(mail)]
        quoted = "\n\n".join(text for text in (parts.quoted, *attached) if text)
        parts = Parts(parts.new, quoted)
    if not parts.new and not parts.quoted:
        problems.append("no text")
    return parts, problems


def _as_quote(mail: Message, depth: int) -> str:
    head = [f"{name}: {_header(mail, name)[:1000]}" for name in _SHOWN if _header(mail, name)]
    parts, _problems = _body(mail, depth)
    return "\n".join([*head, "", parts.new, parts.quoted]).strip()


def _text(mail: Message) -> tuple[Parts, list[str]]:
    """Text that only the HTML part contains is included; otherwise a harmless plain part could hide it."""
    plain, html = ([text_of(part) for part in found] for found in texts(mail))
    text = "\n".join(plain).strip()
    visible = "\n".join(html_text(source) for source in html).strip()
    if not text:
        return split(visible), []
    parts = split(text)
    hidden = _hidden(text, visible) if visible else []
    if not hidden:
        return parts, []
    # Not split together with the plain part, whose delimiters could turn them into quotes. Marked quotes stay quotes.
    marked = [line for line in hidden if line.startswith(">")]
    unmarked = [line for line in hidden if not line.startswith(">")]
    new, quoted = "\n".join(unmarked), "\n".join(marked)
    parts = Parts(
        new=f"{parts.new}\n\n{new}".strip() if new else parts.new,
        quoted=f"{parts.quoted}\n{quoted}".strip() if quoted else parts.quoted,
    )
    return parts, ["text and HTML differ"]


def _hidden(text: str, visible: str) -> list[str]:
    """The lines of the HTML that the plain part lacks. Link targets that the plain part contains are removed."""
    plain = Said([text])
    lines = [line for line in visible.split("\n") if any(map(str.isalnum, line))]
    lines = [_TARGET.sub(lambda match: "" if all(plain.repeated([match[1]])) else match[0], line) for line in lines]
    return [line for line, repeated in zip(lines, plain.repeated(lines), strict=True) if not repeated]

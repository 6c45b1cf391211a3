"""Parse a received email (RFC 5322, MIME): sender, date, reply tokens, new and quoted text, and files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from crm_contact_guard.channels.base import UNANSWERABLE, CarrierEvent, FileIn, InboundMessage
from crm_contact_guard.channels.email.addresses import addresses, first_address
from crm_contact_guard.channels.email.limits import Reading
from crm_contact_guard.channels.email.mime_text import raw_header, unfolded, words
from crm_contact_guard.channels.email.parts import MAX_MAILS, attached_mails, content, files, leaves, texts
from crm_contact_guard.channels.email.quoting import Parts, split
from crm_contact_guard.channels.email.reports import automatic, read_report, tokens_in, unanswerable
from crm_contact_guard.channels.email.structure import Mail, read
from crm_contact_guard.channels.unread import UNREAD, unreadable
from crm_contact_guard.detection.segments import Said
from crm_contact_guard.hosting import logs

logger = logs.logger(__name__)

#: Number of Message-IDs that are kept from an email's references. The newest are kept.
_MOST_REFERENCES = 100
_MOST_SUBJECT = 1000
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_TARGET = re.compile(r" ?<(?:https?://|mailto:|tel:)([^<>\s]{1,2000})>")
#: Header lines shown above the text of an attached email.
_SHOWN = ("From", "Date", "To", "Subject")
#: Number of levels of attached emails that are read.
_MAX_DEPTH = 4


def read_mail(
    raw: bytes, *, alias: str, envelope_from: str | None, envelope_to: Sequence[str]
) -> tuple[CarrierEvent, ...]:
    """Convert a received email to carrier events. Never raises because of the email's content.

    A delivery report or complaint about one of our emails becomes events. Everything else becomes a message, followed
    by events if a mail server reports a bounce in its own words. The original email is attached to the message as a
    file, so that nothing is lost if its MIME structure is broken.

    ``envelope_from`` is empty for the null sender of reports and automatic replies, and None if it is unknown.
    """
    try:
        return _events(raw, alias=alias, envelope_from=envelope_from, envelope_to=envelope_to)
    except Exception:
        # No known email gets here, thanks to the limits. An email that breaks the parser must not block those after it.
        logger.exception("A mail of channel %s can't be read; it is recorded as it came", alias)
        original = _original(raw)
        sender = envelope_from or ""
        return (unreadable(original, alias=alias, sender=sender, recipients=envelope_to, at=datetime.now(UTC)),)


def _events(
    raw: bytes, *, alias: str, envelope_from: str | None, envelope_to: Sequence[str]
) -> tuple[CarrierEvent, ...]:
    mail = read(raw)
    message_id = next(iter(_ids(mail, "Message-ID")), "")
    now = datetime.now(UTC)
    event_id = _event_id(message_id, mail)
    tokens = _tokens(mail, envelope_to)
    report = read_report(mail, envelope_from=envelope_from, tokens=tokens)
    if report is not None and report.is_complete:
        return report.events(alias=alias, event_id=event_id, at=now)
    reading = Reading()
    parts, problems = _body(mail, reading)
    name, address = first_address(raw_header(mail, "From"))
    if not address:
        address = envelope_from or ""
        problems.append("no readable From")
    listed, more = files(mail)
    subject = _header(mail, "Subject")
    reading.note(len(subject) > _MOST_SUBJECT, "the subject is too long")
    unread = [*mail.unread, *reading.unread, *more]
    details: dict[str, object] = {
        "headers": {key: _header(mail, key)[:1000] for key in ("From", "To", "Cc", "Date", "Reply-To") if key in mail},
        "envelope_from": envelope_from or "",
        "envelope_to": list(envelope_to),
    }
    if problems or mail.problems:
        details["problems"] = [*problems, *mail.problems]
    if unread:
        details[UNREAD] = unread
    machine = automatic(mail, envelope_from) or ("report" if report is not None else "")
    if machine:
        details["auto_submitted"] = machine
    unwanted = unanswerable(mail, (address, envelope_from))
    if unwanted:
        details[UNANSWERABLE] = unwanted
    references = dict.fromkeys((*_ids(mail, "References"), *_ids(mail, "In-Reply-To")))
    message = InboundMessage(
        channel=alias,
        event_id=event_id,
        from_address=address[:320],
        from_name=words(name)[:255],
        to_address=", ".join(envelope_to)[:1000],
        subject=subject[:_MOST_SUBJECT],
        text=parts.new,
        quoted=parts.quoted,
        occurred_at=_date(mail, now),
        carrier_id=message_id,
        reply_tokens=tokens,
        references=tuple(references)[-_MOST_REFERENCES:],
        files=(_original(raw), *listed),
        details=details,
    )
    told = () if report is None else report.events(alias=alias, event_id=f"report-{event_id}", at=now)
    return (message, *told)


def _original(raw: bytes) -> FileIn:
    return FileIn(name="original.eml", content_type="message/rfc822", content=raw, kind="original")


def envelope_of(raw: bytes) -> tuple[str | None, list[str]]:
    """Return the envelope sender (None if unknown) and recipients, from the headers added by the delivering server.

    Never raises because of the email's content.
    """
    mail = read(raw)
    wanted = ("delivered-to", "x-original-to", "envelope-to")
    values = [unfolded(value) for name, value in mail.raw_items() if name.lower() in wanted][:_MOST_REFERENCES]
    recipients = dict.fromkeys(address for value in values for _name, address in addresses(value) if address)
    sender = raw_header(mail, "Return-Path")
    return (first_address(sender)[1] if sender else None), list(recipients)[:_MOST_REFERENCES]


def _event_id(message_id: str, mail: Message) -> str:
    """Return a digest of the content, followed by the Message-ID.

    An email received twice is one event, but a different email with the same Message-ID is not discarded. Headers are
    not part of the digest, since relays add to them. From, To, Date and Subject are included only if there is no
    Message-ID.
    """
    digest = hashlib.sha256()
    for part, depth in leaves(mail):
        # An attached email is digested as a whole, so its own parts are skipped.
        if not depth:
            digest.update(content(part).replace(b"\r\n", b"\n").rstrip() + b"\0")
    if not message_id:
        head = "\n".join(_header(mail, name) for name in ("From", "To", "Date", "Subject"))
        digest.update(head.encode("utf-8", "replace"))
    return f"{digest.hexdigest()[:32]}{message_id}"[:240]


def _header(mail: Message, name: str) -> str:
    """Return a header's decoded text on one line."""
    return " ".join(words(raw_header(mail, name)).split())


def _ids(mail: Message, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(mail, name))


def _date(mail: Message, now: datetime) -> datetime:
    """Return the email's date if it is plausible, otherwise the time of receipt.

    A plausible date is not in the future and at most 31 days old.
    """
    try:
        date = parsedate_to_datetime(_header(mail, "Date"))
        date = (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return now
    return date if 0 <= (now - date).total_seconds() < 31 * 86_400 else now


def _tokens(mail: Message, envelope_to: Iterable[str]) -> tuple[str, ...]:
    headers = [raw_header(mail, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To")]
    # Names are searched as well: our token is random, and some programs show addresses as names.
    return tokens_in((*envelope_to, *headers))[:_MOST_REFERENCES]


def _body(mail: Message, reading: Reading, depth: int = 0) -> tuple[Parts, list[str]]:
    """Return the email's new and quoted text, and the problems found. Attached emails count as quotes."""
    parts, problems = _text(mail, reading)
    mails = attached_mails(mail)
    reading.note(bool(mails) and depth >= _MAX_DEPTH, "attached mails are nested too deep")
    reading.note(len(mails) > MAX_MAILS, "too many attached mails")
    if depth < _MAX_DEPTH:
        attached = [_as_quote(one, reading, depth + 1) for one in mails[:MAX_MAILS]]
        quoted = "\n\n".join(text for text in (parts.quoted, *attached) if text)
        parts = Parts(parts.new, quoted)
    if not parts.new and not parts.quoted:
        problems.append("no text")
    return parts, problems


def _as_quote(mail: Message, reading: Reading, depth: int) -> str:
    head = [f"{name}: {_header(mail, name)[:1000]}" for name in _SHOWN if _header(mail, name)]
    parts, _problems = _body(mail, reading, depth)
    if isinstance(mail, Mail):
        for what in mail.unread:
            reading.note(True, what)
    return "\n".join([*head, "", parts.new, parts.quoted]).strip()


def _text(mail: Message, reading: Reading) -> tuple[Parts, list[str]]:
    """Return the new and quoted text of one email, and the problems found.

    Text that only the HTML part contains is included. Otherwise, a harmless plain part could hide it.
    """
    plain, html = texts(mail)
    text = "\n".join(reading.plain(part) for part in plain).strip()
    visible = "\n".join(reading.html(part) for part in html).strip()
    if not text:
        return split(visible), []
    parts = split(text)
    hidden = _hidden(text, visible) if visible else []
    if not hidden:
        return parts, []
    # Don't split these lines together with the plain part, whose delimiters could turn them into quotes. Lines marked
    # as quotes stay quotes.
    marked = [line for line in hidden if line.startswith(">")]
    unmarked = [line for line in hidden if not line.startswith(">")]
    new, quoted = "\n".join(unmarked), "\n".join(marked)
    parts = Parts(
        new=f"{parts.new}\n\n{new}".strip() if new else parts.new,
        quoted=f"{parts.quoted}\n{quoted}".strip() if quoted else parts.quoted,
    )
    return parts, ["text and HTML differ"]


def _hidden(text: str, visible: str) -> list[str]:
    """Return the lines of the HTML that the plain part lacks, without link targets that the plain part contains."""
    plain = Said([text])
    lines = [line for line in visible.split("\n") if any(map(str.isalnum, line))]
    lines = [_TARGET.sub(lambda match: "" if all(plain.repeated([match[1]])) else match[0], line) for line in lines]
    return [line for line, repeated in zip(lines, plain.repeated(lines), strict=True) if not repeated]

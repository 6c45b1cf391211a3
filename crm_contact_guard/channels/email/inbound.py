"""Parse a received mail (RFC 5322, MIME): sender, date, reply tokens, new and quoted text, files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr, parsedate_to_datetime

from crm_contact_guard.channels.base import CarrierEvent, FileIn, InboundMessage
from crm_contact_guard.channels.email.html_text import html_text
from crm_contact_guard.channels.email.quoting import Parts, split
from crm_contact_guard.channels.email.reports import automatic, delivery_report
from crm_contact_guard.detection.segments import Said

_TOKEN = re.compile(r"\+([a-z0-9]{20})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_TARGET = re.compile(r" ?<(?:https?://|mailto:|tel:)([^<>\s]{1,2000})>")
#: Files beyond this number are kept only within the original.
MAX_FILES = 50


def read_mail(
    raw: bytes, *, alias: str, envelope_from: str | None, envelope_to: Sequence[str]
) -> tuple[CarrierEvent, ...]:
    """Convert a received mail to carrier events. Never raises because of the mail's content.

    A delivery report about one of our mails becomes statuses and bounces. Everything else becomes a message; the
    original mail is attached as a file, so that nothing is lost if its MIME is broken. ``envelope_from`` is empty for
    the null sender of reports and automatic replies, and None if it is unknown.
    """
    mail = message_from_bytes(raw, policy=policy.default)
    message_id = next(iter(_ids(mail, "Message-ID")), "")
    now = datetime.now(UTC)
    event_id = _event_id(message_id, mail)
    report = delivery_report(mail)
    if report is not None:
        return report.events(alias=alias, event_id=event_id, at=now)
    parts, problems = _body(mail)
    name, address = parseaddr(_header(mail, "From"))
    if not address:
        address = envelope_from or ""
        problems.append("no readable From")
    files, more = _files(mail)
    details: dict[str, object] = {
        "headers": {key: _header(mail, key)[:1000] for key in ("From", "To", "Cc", "Date", "Reply-To") if mail[key]},
        "envelope_from": envelope_from or "",
        "envelope_to": list(envelope_to),
    }
    if problems or mail.defects or more:
        details["problems"] = [*problems, *(type(defect).__name__ for defect in mail.defects), *more]
    machine = automatic(mail, envelope_from)
    if machine:
        details["auto_submitted"] = machine
    message = InboundMessage(
        channel=alias,
        event_id=event_id,
        from_address=address[:320],
        from_name=name[:255],
        to_address=", ".join(envelope_to)[:1000],
        subject=_header(mail, "Subject")[:1000],
        text=parts.new,
        quoted=parts.quoted,
        occurred_at=_date(mail, now),
        carrier_id=message_id,
        reply_tokens=_tokens(mail, envelope_to),
        references=tuple(dict.fromkeys((*_ids(mail, "References"), *_ids(mail, "In-Reply-To")))),
        files=(FileIn(name="original.eml", content_type="message/rfc822", content=raw, kind="original"), *files),
        details=details,
    )
    return (message,)


def envelope_of(raw: bytes) -> tuple[str | None, list[str]]:
    """Envelope sender (None if unknown) and recipients, from the headers that the delivering server added."""
    mail = message_from_bytes(raw, policy=policy.default)
    values = [value for name in ("Delivered-To", "X-Original-To", "Envelope-To") for value in mail.get_all(name, [])]
    recipients = [address for _, address in getaddresses([str(value) for value in values]) if address]
    sender = _header(mail, "Return-Path")
    return (parseaddr(sender)[1] if sender else None), list(dict.fromkeys(recipients))


def _event_id(message_id: str, mail: EmailMessage) -> str:
    """Message-ID and a digest of the content.

    A mail received twice is one event, but a different mail with the same Message-ID is not discarded. Headers are not
    part of the digest, since relays add to them; only without a Message-ID, From, To, Date and Subject are included.
    """
    digest = hashlib.sha256()
    for part in _leaves(mail):
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        digest.update(content.replace(b"\r\n", b"\n").rstrip() + b"\0")
    if not message_id:
        head = "\n".join(_header(mail, name) for name in ("From", "To", "Date", "Subject"))
        digest.update(head.encode("utf-8", "replace"))
    return f"{digest.hexdigest()[:32]}{message_id}"[:240]


def _header(mail: EmailMessage, name: str) -> str:
    try:
        value = str(mail[name] or "")
    except Exception:  # noqa: BLE001 - the standard parser raises various exceptions on malformed headers
        value = next((str(raw) for key, raw in mail.raw_items() if key.lower() == name.lower()), "")
    return " ".join(value.split())


def _ids(mail: EmailMessage, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(mail, name))


def _date(mail: EmailMessage, now: datetime) -> datetime:
    """The mail's date if it is plausible (not in the future, at most 31 days old), otherwise the time of receipt."""
    try:
        date = parsedate_to_datetime(_header(mail, "Date"))
        date = (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return now
    return date if 0 <= (now - date).total_seconds() < 31 * 86_400 else now


def _tokens(mail: EmailMessage, envelope_to: Iterable[str]) -> tuple[str, ...]:
    headers = [_header(mail, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To")]
    addresses = [*envelope_to, *(address for _, address in getaddresses(headers))]
    return tuple(dict.fromkeys(token.lower() for address in addresses for token in _TOKEN.findall(address)))


def _text_of(part: EmailMessage) -> str:
    """The decoded text of a part. Wrong or unknown charsets give replacement characters, never an error."""
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = str(part.get_param("charset", "utf-8") or "utf-8")
    for name in (charset, "utf-8"):
        try:
            return content.decode(name, "replace")
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")


def _leaves(mail: EmailMessage) -> list[EmailMessage]:
    """All parts that are not multipart. Their number is bounded by the size limit of the mail."""
    return [part for part in mail.walk() if not part.is_multipart()]


def _is_file(part: EmailMessage) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text"


def _body(mail: EmailMessage) -> tuple[Parts, list[str]]:
    """New and quoted text of the mail, and problems found.

    Text that only the HTML part contains is included; otherwise a harmless plain part could hide it from inspection.
    """
    plain: list[str] = []
    html: list[str] = []
    for part in _leaves(mail):
        if _is_file(part):
            continue
        target = html if part.get_content_subtype() == "html" else plain
        target.append(_text_of(part))
    text = "\n".join(plain).strip()
    visible = "\n".join(html_text(source) for source in html).strip()
    if not text:
        return split(visible), [] if visible else ["no text"]
    parts = split(text)
    hidden = _hidden(text, visible)
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


def _files(mail: EmailMessage) -> tuple[list[FileIn], list[str]]:
    files = []
    parts = [part for part in _leaves(mail) if _is_file(part)]
    for number, part in enumerate(parts[:MAX_FILES], 1):
        payload = part.get_payload(decode=True)
        try:
            name = part.get_filename() or f"file-{number}"
        except Exception:  # noqa: BLE001 - malformed RFC 2231 names
            name = f"file-{number}"
        content = payload if isinstance(payload, bytes) else b""
        files.append(FileIn(name=file_name(name), content_type=part.get_content_type()[:127], content=content))
    return files, [f"{len(parts) - MAX_FILES} more files in the original"] if len(parts) > MAX_FILES else []


def file_name(name: str) -> str:
    """A file's name without path and control characters, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:200] or "file"

"""Reading a received mail (RFC 5322, MIME): who, when, to which of our tokens, what is new in it, what came with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr, parsedate_to_datetime

from crm_contact_guard.channels.base import CarrierEvent, DeliveryStatus, FileIn, InboundMessage, StatusEvent
from crm_contact_guard.channels.email.html_text import html_text
from crm_contact_guard.channels.email.quoting import split

_TOKEN = re.compile(r"\+([a-z0-9]{20})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
#: More files than this stay inside the original only.
MAX_FILES = 50


def read_mail(raw: bytes, *, alias: str, envelope_from: str, envelope_to: Sequence[str]) -> CarrierEvent:
    """One received mail as an event for the gateway; never raises for what a sender can write.

    A delivery report about one of our mails becomes a ``StatusEvent``. Everything else is a message; the mail as
    received comes along as a file, so that nothing is lost when its MIME is broken.
    """
    mail = message_from_bytes(raw, policy=policy.default)
    message_id = _ids(mail, "Message-ID")[:1]
    now = datetime.now(UTC)
    bounced = _bounced(mail)
    event_id = _event_id(message_id[0] if message_id else "", raw)
    if bounced:
        return StatusEvent(
            channel=alias,
            event_id=event_id,
            carrier_id=bounced,
            status=DeliveryStatus.FAILED,
            occurred_at=now,
            detail={"report": _header(mail, "Subject")[:200]},
        )
    body, problems = _body(mail)
    parts = split(body)
    name, address = parseaddr(_header(mail, "From"))
    if not address:
        address = envelope_from
        problems.append("no readable From")
    files, more = _files(mail)
    details: dict[str, object] = {
        "headers": {key: _header(mail, key)[:1000] for key in ("From", "To", "Cc", "Date", "Reply-To") if mail[key]},
        "envelope_from": envelope_from,
        "envelope_to": list(envelope_to),
    }
    if problems or mail.defects or more:
        details["problems"] = [*problems, *(type(defect).__name__ for defect in mail.defects), *more]
    automatic = _header(mail, "Auto-Submitted")
    if automatic and automatic.lower() != "no":
        details["auto_submitted"] = automatic[:100]
    return InboundMessage(
        channel=alias,
        event_id=event_id,
        from_address=address[:320],
        from_name=name[:255],
        to_address=", ".join(envelope_to)[:1000],
        subject=_header(mail, "Subject")[:1000],
        text=parts.new,
        quoted=parts.quoted,
        occurred_at=_date(mail, now),
        carrier_id=message_id[0] if message_id else "",
        reply_tokens=_tokens(mail, envelope_to),
        references=tuple(dict.fromkeys((*_ids(mail, "References"), *_ids(mail, "In-Reply-To")))),
        files=(FileIn(name="original.eml", content_type="message/rfc822", content=raw, kind="original"), *files),
        details=details,
    )


def _event_id(message_id: str, raw: bytes) -> str:
    """Message-ID and a digest of the body: a mail delivered twice is one event, but nobody can have a second mail
    swallowed by repeating an old Message-ID. The head is left out, since each relay adds to it."""
    body = raw.split(b"\r\n\r\n", 1)[-1] if b"\r\n\r\n" in raw else raw.split(b"\n\n", 1)[-1]
    digest = hashlib.sha256(body.replace(b"\r\n", b"\n").rstrip()).hexdigest()
    return f"{digest[:32]}{message_id}"[:255]


def _header(mail: EmailMessage, name: str) -> str:
    try:
        value = str(mail[name] or "")
    except Exception:  # noqa: BLE001 - the standard parser raises all sorts on hostile headers
        value = next((str(raw) for key, raw in mail.raw_items() if key.lower() == name.lower()), "")
    return " ".join(value.split())


def _ids(mail: EmailMessage, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(mail, name))


def _date(mail: EmailMessage, now: datetime) -> datetime:
    """The mail's own date when it can be true: not in the future, not older than a month; else the time of receipt."""
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
    """The decoded text of a part; wrong or unknown charsets give replacement characters, never an error."""
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
    """All parts that are no containers; walking is bounded by the size limit of the mail."""
    return [part for part in mail.walk() if not part.is_multipart()]


def _is_file(part: EmailMessage) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text"


def _body(mail: EmailMessage) -> tuple[str, list[str]]:
    """The text of the mail, and what was wrong. The HTML part is read when it says more than the plain one:
    a plain part that hides what the HTML shows would be a way past the scan."""
    plain: list[str] = []
    html: list[str] = []
    for part in _leaves(mail):
        if _is_file(part):
            continue
        target = html if part.get_content_subtype() == "html" else plain
        target.append(_text_of(part))
    text = "\n".join(plain).strip()
    shown = "\n".join(html_text(source) for source in html).strip()
    if not text:
        return shown, [] if shown else ["no text"]
    squeezed = "".join(text.split())
    hidden = [line for line in shown.split("\n") if line.strip("> ") and "".join(line.split()) not in squeezed]
    if hidden and len("".join(hidden)) > 0.3 * len(squeezed):
        return f"{text}\n\n{shown}", ["text and HTML differ"]
    return text, []


def _files(mail: EmailMessage) -> tuple[list[FileIn], list[str]]:
    files = []
    parts = [part for part in _leaves(mail) if _is_file(part)]
    for number, part in enumerate(parts[:MAX_FILES], 1):
        payload = part.get_payload(decode=True)
        try:
            name = part.get_filename() or f"file-{number}"
        except Exception:  # noqa: BLE001 - hostile RFC 2231 names
            name = f"file-{number}"
        content = payload if isinstance(payload, bytes) else b""
        files.append(FileIn(name=_file_name(name), content_type=part.get_content_type()[:127], content=content))
    return files, [f"{len(parts) - MAX_FILES} more files in the original"] if len(parts) > MAX_FILES else []


def _file_name(name: str) -> str:
    """A file's name without path and control characters, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:200] or "file"


def _bounced(mail: EmailMessage) -> str:
    """The Message-ID of our mail that a delivery report (RFC 3464) says has failed; "" when it is no such report."""
    if mail.get_content_type() != "multipart/report" or mail.get_param("report-type") != "delivery-status":
        return ""
    failed = any(
        "action: failed" in part.as_string().lower()
        for part in mail.walk()
        if part.get_content_type() == "message/delivery-status"
    )
    if not failed:
        return ""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            found = _MESSAGE_ID.search(str(part).partition("Message-ID:")[2][:500])
            if found:
                return found.group()
    return ""

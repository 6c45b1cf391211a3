"""What a mail consists of: its text, the mails attached to it, its files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from itertools import islice

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.channels.email.mime_text import (
    RAW,
    base64,
    file_name,
    file_name_of,
    is_base64,
    payload,
    raw_header,
    words,
)

#: Files beyond this number are kept only within the original.
MAX_FILES = 50
#: Attached mails that are read; the text of others is kept only within the original.
MAX_MAILS = 10
#: Parts of the type "message" that hold no mail but groups of header-like fields (RFC 3464, 5965, 8098), or nothing.
_FIELD_TYPES = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/feedback-report"}
    | {"message/disposition-notification", "message/global-disposition-notification", "message/external-body"}
)
#: Groups of fields that are kept as a file's content.
_MOST_GROUPS = 200
_SHOWN_AS_HTML = frozenset({"text/html", "text/x-amp-html", "text/watch-html"})
_SHOWN_AS_TEXT = frozenset({"text/plain", "text/enriched", "text/richtext", "text/markdown"})


def leaves(mail: Message) -> Iterator[tuple[Message, int]]:
    """All parts that are no containers, in order, with the number of attached mails around each. An attached mail comes
    before its own parts."""
    waiting: list[tuple[Message, int]] = [(mail, 0)]
    while waiting:
        part, depth = waiting.pop()
        inner = part.get_payload() if part.is_multipart() else None
        is_message = part.get_content_maintype() == "message"
        if not isinstance(inner, list) or is_message:
            yield part, depth
        if isinstance(inner, list) and part.get_content_type() not in _FIELD_TYPES:
            deeper = depth + is_message
            waiting += [(one, deeper) for one in reversed(inner) if isinstance(one, Message)]


def texts(mail: Message) -> tuple[list[Message], list[Message]]:
    """The parts that mail programs show as the mail's text: plain ones, HTML ones."""
    plain, html = [], []
    for part, depth in leaves(mail):
        if not depth and not _is_attachment(part):
            kind = part.get_content_type()
            if kind in _SHOWN_AS_HTML:
                html.append(part)
            elif kind in _SHOWN_AS_TEXT or kind.startswith("multipart/"):
                plain.append(part)
    return plain, html


def attached_mails(mail: Message) -> list[Message]:
    """The mails attached to the mail itself, at most ``MAX_MAILS``."""
    found = [part for part, depth in leaves(mail) if not depth and _is_mail(part)]
    return [_attached(part) for part in found[:MAX_MAILS]]


def content(part: Message) -> bytes:
    """The decoded content of a part; the source of an attached mail or of a report's fields."""
    return _source(part) if part.is_multipart() else payload(part)


def files(mail: Message) -> tuple[list[FileIn], list[str]]:
    """The mail's files, those in attached mails included, and problems found."""
    found = []
    parts = [part for part, depth in leaves(mail) if _is_file(part, depth)]
    for number, part in enumerate(parts[:MAX_FILES], 1):
        found.append(
            FileIn(
                name=file_name_of(part) or _name_of_mail(part) or f"file-{number}",
                content_type=part.get_content_type()[:127],
                content=content(part),
            )
        )
    return found, [f"{len(parts) - MAX_FILES} more files in the original"] if len(parts) > MAX_FILES else []


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _is_mail(part: Message) -> bool:
    is_message = part.is_multipart() and part.get_content_maintype() == "message"
    return is_message and part.get_content_type() not in _FIELD_TYPES


def _is_file(part: Message, depth: int) -> bool:
    """Whether the part is listed as a file. Parts with a name are, even if mail programs show them as text."""
    kind = part.get_content_type()
    if kind.startswith("multipart/") and not part.is_multipart():
        return False
    return _is_attachment(part) or kind not in _SHOWN_AS_TEXT | _SHOWN_AS_HTML or bool(file_name_of(part))


def _attached(part: Message) -> Message:
    """The mail in a part. Against RFC 2046 §5.2.1, some programs encode it."""
    return message_from_bytes(_source(part), policy=RAW) if is_base64(part) else part.get_payload(0)  # type: ignore[return-value]


def _name_of_mail(part: Message) -> str:
    if not _is_mail(part):
        return ""
    subject = words(raw_header(_attached(part), "Subject"))[:100]
    return file_name(f"{subject.replace('/', ' ') or 'mail'}.eml")


def _source(part: Message) -> bytes:
    """The source of a part that contains mails or groups of headers, as far as the parsed parts give it back."""
    if part.get_content_type() in _FIELD_TYPES:
        groups = [one for one in islice(part.get_payload(), _MOST_GROUPS) if isinstance(one, Message)]
        fields = ("".join(f"{name}: {value}\n" for name, value in group.raw_items()) for group in groups)
        return "\n".join(fields).encode("utf-8", "surrogateescape")
    stream = io.BytesIO()
    for inner in part.get_payload():
        if not isinstance(inner, Message):
            continue
        try:
            BytesGenerator(stream, mangle_from_=False, maxheaderlen=0, policy=compat32).flatten(inner)
        except Exception:  # noqa: BLE001 - malformed parts; the whole mail is kept as received anyway
            break
    return base64(stream.getvalue()) if is_base64(part) else stream.getvalue()

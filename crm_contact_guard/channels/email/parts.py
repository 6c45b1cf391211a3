"""The contents of an email: its text, the emails attached to it, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from typing import Any

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.channels.email.mime_text import (
    file_name,
    file_name_of,
    payload,
    raw_header,
    words,
)
from crm_contact_guard.channels.email.structure import Mail, Part, read

#: Files beyond this number are kept only in the original.
MAX_FILES = 50
#: Total size of an email's files, as a multiple of the email's own size.
MAX_SIZE = 2
#: Number of attached emails that are read. The text of any others is kept only in the original.
MAX_MAILS = 10
#: Types of "message" parts that contain no email, only groups of header-like fields (RFC 3464, 5965, 8098) or nothing.
_FIELD_TYPES = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/feedback-report"}
    | {"message/disposition-notification", "message/global-disposition-notification", "message/external-body"}
)
_SHOWN_AS_HTML = frozenset({"text/html", "text/x-amp-html", "text/watch-html"})
_SHOWN_AS_TEXT = frozenset({"text/plain", "text/enriched", "text/richtext", "text/markdown"})


def leaves(mail: Message) -> Iterator[tuple[Message, int]]:
    """Yield all parts that aren't containers, in order, each with the number of attached emails around it.

    An attached email is yielded as well, before its own parts.
    """
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
    """Return the parts that mail programs show as the email's text: the plain parts and the HTML parts."""
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
    """Return the emails attached to the email itself.

    At most one more than ``MAX_MAILS`` are returned, so that the caller can tell that there are more.
    """
    found = [part for part, depth in leaves(mail) if not depth and _is_mail(part)]
    return [_attached(part) for part in found[: MAX_MAILS + 1]]


def content(part: Message) -> bytes:
    """Return the decoded content of a part, or the source of an attached email or of a report's fields."""
    return part.source if isinstance(part, Part) and part.is_multipart() else payload(part)


def files(mail: Mail) -> tuple[list[FileIn], list[str]]:
    """Return the email's files, including those in attached emails, and a note about files kept only in the original.

    An attached email is returned as a whole, and its files as well. Together, the files take at most ``MAX_SIZE`` times
    the size of the email.
    """
    found: list[FileIn] = []
    parts = [part for part, depth in leaves(mail) if _is_file(part, depth)]
    left = MAX_SIZE * mail.end
    for number, part in enumerate(parts[:MAX_FILES], 1):
        data = content(part)
        left -= len(data)
        if left < 0:
            break
        name = file_name_of(part) or _name_of_mail(part) or f"file-{number}"
        found.append(FileIn(name=name, content_type=part.get_content_type()[:127], content=data))
    more = len(parts) - len(found)
    return found, [f"{more} more files in the original"] if more else []


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _is_mail(part: Message) -> bool:
    return part.get_content_maintype() == "message" and part.get_content_type() not in _FIELD_TYPES


def _is_file(part: Message, depth: int) -> bool:
    """Whether the part is listed as a file. Parts with a name are, even if mail programs show them as text."""
    kind = part.get_content_type()
    if kind.startswith("multipart/") and not part.is_multipart():
        return False
    return _is_attachment(part) or kind not in _SHOWN_AS_TEXT | _SHOWN_AS_HTML or bool(file_name_of(part))


def _attached(part: Message) -> Message:
    """Return the email contained in a part. Some programs encode it, in violation of RFC 2046 §5.2.1."""
    inner: Any = part.get_payload() if part.is_multipart() else None
    return inner[0] if inner else read(payload(part))


def _name_of_mail(part: Message) -> str:
    if not _is_mail(part):
        return ""
    subject = words(raw_header(_attached(part), "Subject"))[:100]
    return file_name(f"{subject.replace('/', ' ') or 'mail'}.eml")

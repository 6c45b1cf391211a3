"""Bounces that are no delivery reports by RFC 3464: a mail server's letter in its own words.

Nothing in such a letter is certain. It is therefore recorded as a mail, by a machine; what it says about an address is
believed only if it fits a mail of ours (``ContactEvent.is_forgeable``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parseaddr

from crm_contact_guard.channels.email.html_text import html_text
from crm_contact_guard.channels.email.mime_text import RAW, raw_header, text_of, words
from crm_contact_guard.channels.email.parts import leaves
from crm_contact_guard.channels.email.patterns import listed

#: Characters of a letter that are read; the rest is the mail that came back.
_MOST = 20_000
#: Characters of the returned mail's head.
_HEAD = 20_000
_RETURNED_TYPES = frozenset(
    {"message/rfc822", "message/global", "message/global-headers", "message/rfc822-headers", "text/rfc822-headers"}
    | {"text/rfc822"}
)
#: Recipients of a letter; ours have one.
_MOST_RECIPIENTS = 20
_ADDRESS = re.compile(r"[\w.!#$%&'*+/?^{|}~\-]{1,64}@[\w.\-]{1,190}\.[a-z]{2,24}", re.IGNORECASE)
_ID = re.compile(r"^[> \t]*message-id:\s*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
#: Before the first words of the returned mail.
_MARKS = r"^[ \t>|*\-_=+#]*"
#: Lines that repeat the returned mail's head, and contacts of the server's people.
_REPEATED = re.compile(
    r"^[ \t>*]*(?:with )?(?:subject|sent|cc|from|件名|betreff|objet|asunto)\s*[:：].*$", re.IGNORECASE | re.MULTILINE
)
_STAFF = re.compile(
    r"(?:post-?master|mailer-daemon|abuse|hostmaster|support|helpdesk|noreply|no-reply)@", re.IGNORECASE
)


def is_bounce(mail: Message, *, is_null_sender: bool) -> bool:
    """Whether a mail looks like a mail server's letter about a mail that it didn't deliver."""
    if raw_header(mail, "X-Failed-Recipients"):
        return True
    if mail.get_content_type() == "multipart/report":
        return str(mail.get_param("report-type", "delivery-status")).lower() == "delivery-status"
    sender = " ".join(raw_header(mail, name) for name in ("From", "Sender", "Return-Path"))
    if not (is_null_sender or listed("daemon").search(sender)):
        return False
    failed = listed("failed")
    return bool(failed.search(words(raw_header(mail, "Subject"))) or failed.search(letter(mail)[:4_000]))


def letter(mail: Message) -> str:
    """The server's own words: the text above the returned mail."""
    whole = ""
    for part, depth in leaves(mail):
        kind = part.get_content_type()
        if depth or not kind.startswith(("text/plain", "text/html", "multipart/")):
            continue
        text = text_of(part)[: 4 * _MOST]
        whole += (html_text(text) if kind == "text/html" else text) + "\n"
        if len(whole) > _MOST:
            break
    whole = _encodable(whole[:_MOST])
    begin = listed("returned", _MARKS).search(whole, min(40, len(whole)))
    return _REPEATED.sub("", whole[: begin.start() if begin else _MOST])


def _encodable(text: str) -> str:
    """Without lone surrogates, on which RE2 fails."""
    return text.encode("utf-8", "replace").decode("utf-8")


def returned(mail: Message) -> Message | None:
    """The returned mail, or its head."""
    for part, _depth in leaves(mail):
        if part.get_content_type() not in _RETURNED_TYPES:
            continue
        inner = part.get_payload()
        if isinstance(inner, list) and inner and isinstance(inner[0], Message):
            return inner[0]
        head = text_of(part)[:_HEAD].lstrip()
        return message_from_bytes(head.encode("utf-8", "replace"), policy=RAW)
    return None


def original_id(mail: Message) -> str:
    """The Message-ID of the returned mail, "" if it isn't told. Our record decides whether it is one of ours."""
    inner = returned(mail)
    if inner is not None:
        match = _ID.search(f"Message-ID: {raw_header(inner, 'Message-ID')}")
        return match[1] if match else ""
    for part, depth in leaves(mail):
        if not depth and part.get_content_maintype() in ("text", "multipart"):
            match = _ID.search(text_of(part)[: 10 * _MOST].replace("\r\n", "\n"))
            if match:
                return match[1]
    return ""


def recipients(mail: Message) -> list[tuple[str, str]]:
    """The addresses that a letter is about, each with the words about it."""
    text = letter(mail)
    inner = returned(mail)
    named = [address for _, address in getaddresses([raw_header(mail, "X-Failed-Recipients")[:2_000]]) if address]
    sender = {
        parseaddr(raw_header(one, name))[1].lower() for one in (mail, inner) if one for name in ("From", "Reply-To")
    }
    own = sender | {address.lower() for _, address in getaddresses([raw_header(mail, "To")[:2_000]])}
    to = [address for _, address in getaddresses([raw_header(inner, "To")[:2_000]])] if inner is not None else []
    found = [address for address in [*named, *_in_text(text)] if address.lower() not in own]
    if not found:
        found = to[:1] if len(to) == 1 else []
    unique = list({address.lower(): address for address in reversed(found)}.values())[::-1]
    if to and {address.lower() for address in to} & {address.lower() for address in unique}:
        # What came back tells whom it was for.
        unique = [address for address in unique if address.lower() in {one.lower() for one in to}]
    return list(_each(text, unique[:_MOST_RECIPIENTS]))


def _in_text(text: str) -> Iterator[str]:
    for match in _ADDRESS.finditer(text):
        if not _STAFF.match(match[0]):
            yield match[0].strip(".'")


def _each(text: str, addresses: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each address with the text from it to the next one; with all of the text if it is the only one."""
    listed = list(addresses)
    lowered = text.lower()
    places = {address: lowered.find(address.lower()) for address in listed}
    for address in listed:
        at = places[address]
        if len(listed) == 1 or at < 0:
            yield address, text
            continue
        later = [place for place in places.values() if place > at]
        yield address, text[at : min(later, default=len(text))]

"""Bounces that aren't delivery reports as defined by RFC 3464, but messages in a mail server's own words.

Nothing in such a message is certain. It is therefore recorded as an email written by a machine. What it says about an
address is believed only if it matches an email that we sent (``ContactEvent.is_forgeable``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import Message

from crm_contact_guard.channels.email.addresses import addresses, first_address
from crm_contact_guard.channels.email.html_text import html_text
from crm_contact_guard.channels.email.mime_text import parameter, raw_header, text_of, words
from crm_contact_guard.channels.email.parts import leaves
from crm_contact_guard.channels.email.patterns import listed
from crm_contact_guard.channels.email.structure import read

#: Number of characters of a bounce that are read. The rest belongs to the returned email.
_MOST = 20_000
#: Number of characters of the returned email's header that are read.
_HEAD = 20_000
_RETURNED_TYPES = frozenset(
    {"message/rfc822", "message/global", "message/global-headers", "message/rfc822-headers", "text/rfc822-headers"}
    | {"text/rfc822"}
)
#: Number of recipients that are read from a bounce. The emails that we send have only one.
_MOST_RECIPIENTS = 20
_ADDRESS = re.compile(r"[\w.!#$%&'*+/?^{|}~\-]{1,64}@[\w.\-]{1,190}\.[a-z]{2,24}", re.IGNORECASE)
_ID = re.compile(r"^[> \t]*message-id:\s*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
#: Marks that may precede the first words of the returned email.
_MARKS = r"^[ \t>|*\-_=+#]*"
#: Lines that repeat the returned email's header, and addresses of the people who run the server.
_REPEATED = re.compile(
    r"^[ \t>*]*(?:with )?(?:subject|sent|cc|from|件名|betreff|objet|asunto)\s*[:：].*$", re.IGNORECASE | re.MULTILINE
)
_STAFF = re.compile(
    r"(?:post-?master|mailer-daemon|abuse|hostmaster|support|helpdesk|noreply|no-reply)@", re.IGNORECASE
)


def is_bounce(mail: Message, *, is_null_sender: bool) -> bool:
    """Whether an email looks like a mail server's message about an email that it didn't deliver."""
    if raw_header(mail, "X-Failed-Recipients"):
        return True
    if mail.get_content_type() == "multipart/report":
        return (parameter(mail, "Content-Type", "report-type") or "delivery-status").lower() == "delivery-status"
    sender = " ".join(raw_header(mail, name) for name in ("From", "Sender", "Return-Path"))
    if not (is_null_sender or listed("daemon").search(sender)):
        return False
    failed = listed("failed")
    return bool(failed.search(words(raw_header(mail, "Subject"))) or failed.search(letter(mail)[:4_000]))


def letter(mail: Message) -> str:
    """Return the server's own words: the text above the returned email."""
    whole = ""
    for part, depth in leaves(mail):
        kind = part.get_content_type()
        if depth or not kind.startswith(("text/plain", "text/html", "multipart/")):
            continue
        text = text_of(part, 4 * _MOST)[0]
        whole += (html_text(text) if kind == "text/html" else text) + "\n"
        if len(whole) > _MOST:
            break
    whole = _encodable(whole[:_MOST])
    begin = listed("returned", _MARKS).search(whole, min(40, len(whole)))
    return _REPEATED.sub("", whole[: begin.start() if begin else _MOST])


def _encodable(text: str) -> str:
    """Replace lone surrogates, which RE2 can't handle."""
    return text.encode("utf-8", "replace").decode("utf-8")


def returned(mail: Message) -> Message | None:
    """Return the returned email, or only its header if the bounce contains no more; None if there is neither."""
    for part, _depth in leaves(mail):
        if part.get_content_type() not in _RETURNED_TYPES:
            continue
        inner = part.get_payload()
        if isinstance(inner, list) and inner and isinstance(inner[0], Message):
            return inner[0]
        head = text_of(part, _HEAD)[0].lstrip()
        return read(head.encode("utf-8", "replace"))
    return None


def original_id(mail: Message) -> str:
    """Return the returned email's Message-ID, or "" if the bounce doesn't contain it.

    Only our record shows whether the ID is one of ours.
    """
    inner = returned(mail)
    if inner is not None:
        match = _ID.search(f"Message-ID: {raw_header(inner, 'Message-ID')}")
        return match[1] if match else ""
    for part, depth in leaves(mail):
        if not depth and part.get_content_maintype() in ("text", "multipart"):
            match = _ID.search(text_of(part, 10 * _MOST)[0].replace("\r\n", "\n"))
            if match:
                return match[1]
    return ""


def recipients(mail: Message) -> list[tuple[str, str]]:
    """Return each address that a bounce is about, together with the text about it."""
    text = letter(mail)
    inner = returned(mail)
    named = [address for _, address in addresses(raw_header(mail, "X-Failed-Recipients")[:2_000]) if address]
    sender = {
        first_address(raw_header(one, name))[1].lower() for one in (mail, inner) if one for name in ("From", "Reply-To")
    }
    own = sender | {address.lower() for _, address in addresses(raw_header(mail, "To")[:2_000])}
    to = [address for _, address in addresses(raw_header(inner, "To")[:2_000])] if inner is not None else []
    found = [address for address in [*named, *_in_text(text)] if address.lower() not in own]
    if not found:
        found = to[:1] if len(to) == 1 else []
    unique = list({address.lower(): address for address in reversed(found)}.values())[::-1]
    if to and {address.lower() for address in to} & {address.lower() for address in unique}:
        # The returned email shows whom it was addressed to.
        unique = [address for address in unique if address.lower() in {one.lower() for one in to}]
    return list(_each(text, unique[:_MOST_RECIPIENTS]))


def _in_text(text: str) -> Iterator[str]:
    for match in _ADDRESS.finditer(text):
        if not _STAFF.match(match[0]):
            yield match[0].strip(".'")


def _each(text: str, found: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each address with the text from it to the next one, or with all of the text if it is the only address."""
    listed = list(found)
    lowered = text.lower()
    places = {address: lowered.find(address.lower()) for address in listed}
    for address in listed:
        at = places[address]
        if len(listed) == 1 or at < 0:
            yield address, text
            continue
        later = [place for place in places.values() if place > at]
        yield address, text[at : min(later, default=len(text))]

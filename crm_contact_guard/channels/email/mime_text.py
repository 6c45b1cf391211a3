"""Text, header words and file names of MIME parts, decoded as leniently as mail programs do.

Whatever a mail program shows in spite of a broken header or encoding, inspection must see, too.
Never raises because of an email's content; linear.
"""

from __future__ import annotations

import quopri
import re
from email.message import Message
from urllib.parse import unquote_to_bytes

from crm_contact_guard.channels.email.structure import base64_of
from crm_contact_guard.detection.text.charsets import decode

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\n]*)\?=")
_PARAMETER = re.compile(r';\s*([\w.\-]{1,60})(?:\*(\d{1,4}))?(\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def payload(part: Message) -> bytes:
    """Return the decoded bytes of a part that isn't multipart; see ``structure.Part``."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def text_of(part: Message, most: int, without: re.Pattern[bytes] | None = None) -> tuple[str, bool]:
    """Return the text of a part, at most ``most`` characters, and whether that is all of it.

    ``without``: a pattern for content that is removed before the length is counted.
    """
    content = payload(part)
    if without is not None:
        content = without.sub(b"", content)
    # No charset takes more than four bytes for a character, escape sequences aside.
    text = decode(content[: 4 * most], parameter(part, "Content-Type", "charset"))
    return text[:most], len(content) <= 4 * most and len(text) <= most


def raw_header(mail: Message, name: str) -> str:
    """Return the first header with this name, unfolded; "" if there is none. Encoded words are not decoded."""
    return next((unfolded(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")


def unfolded(value: object) -> str:
    """Return a header's value on one line. Bytes beyond ASCII are decoded (RFC 6532, or raw Shift_JIS)."""
    text = str(value)
    if not text.isascii():
        try:
            text = decode(text.encode("ascii", "surrogateescape"))
        except UnicodeEncodeError:
            text = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(text.split())


def words(text: str) -> str:
    """Decode the encoded words in a header's text (RFC 2047), even inside quotes and without spaces between them."""
    pieces: list[str] = []
    pending: list[bytes] = []
    charset, at = "", 0
    for match in _WORD.finditer(text):
        between = text[at : match.start()]
        if between.strip() or not at:
            pieces += [decode(b"".join(pending), charset), between]
            pending = []
        elif match[1].lower() != charset.lower():
            pieces.append(decode(b"".join(pending), charset))
            pending = []
        # Some programs split a character between two words, in violation of RFC 2047 §5.
        pending.append(_word(match[2], match[3]))
        charset, at = match[1], match.end()
    pieces += [decode(b"".join(pending), charset), text[at:]]
    return "".join(pieces)


def _word(encoding: str, code: str) -> bytes:
    content = code.encode("utf-8", "replace")
    return base64_of(content) if encoding in "bB" else quopri.decodestring(content, header=True)


def parameter(part: Message, header: str, name: str) -> str:
    """Return a parameter of a MIME header; "" if there is none.

    The value may be encoded as in RFC 2231, or else be plain text or encoded words, even without quotes.
    """
    value = next((str(value) for key, value in part.raw_items() if key.lower() == header.lower()), "")
    plain = ""
    extended: dict[int, tuple[bool, str]] = {}
    for match in _PARAMETER.finditer(value):
        key, number, star, quoted, bare = match.groups()
        if key.lower() != name:
            continue
        given = _QUOTED_PAIR.sub(r"\1", quoted) if quoted is not None else bare.strip()
        if number is None and not star:
            plain = plain or given
        else:
            extended.setdefault(int(number or 0), (bool(star), given))
    return _clean(_extended(extended) if extended else words(unfolded(plain)))


def _extended(pieces: dict[int, tuple[bool, str]]) -> str:
    """Join the numbered pieces of a parameter, the first of which may name a charset (RFC 2231 §4.1)."""
    charset = ""
    content: list[bytes] = []
    for number in sorted(pieces):
        encoded, text = pieces[number]
        if encoded and not content and text.count("'") >= 2:
            charset, _language, text = text.split("'", 2)
        octets = text.encode("utf-8", "surrogateescape")
        content.append(unquote_to_bytes(octets) if encoded else octets)
    return decode(b"".join(content), charset)


def _clean(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def file_name_of(part: Message) -> str:
    """Return the file name of a part, from its disposition or else its type; "" if it has none."""
    name = parameter(part, "Content-Disposition", "filename") or parameter(part, "Content-Type", "name")
    return file_name(name) if name else ""


def file_name(name: str) -> str:
    """Return a file's name without path and control characters, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:200] or "file"

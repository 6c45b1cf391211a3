"""Text, header words and file names of MIME parts, read as leniently as mail programs do.

What a mail program shows in spite of a broken header or encoding, inspection must see. Nothing here raises because of a
mail's content; all of it is linear.
"""

from __future__ import annotations

import binascii
import quopri
import re
from email.message import Message
from email.policy import EmailPolicy
from urllib.parse import unquote_to_bytes

from crm_contact_guard.detection.text.charsets import decode

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\n]*)\?=")
_PARAMETER = re.compile(r';\s*([\w.\-]{1,60})(?:\*(\d{1,4}))?(\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")


class RawHeaders(EmailPolicy):
    """A policy that leaves headers as they are.

    The standard library's parser of structured headers drops what it doesn't understand, such as an unquoted boundary
    with ``=``, and with it the whole text of the mail.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


RAW = RawHeaders()


def payload(part: Message) -> bytes:
    """The decoded bytes of a part that is not multipart.

    Base64 is decoded beyond superfluous characters and padding, where the standard library gives up and keeps the code.
    """
    if not is_base64(part):
        content = part.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""
    source = part.get_payload()
    code = source.encode("ascii", "replace") if isinstance(source, str) else b""
    return base64(code)


def is_base64(part: Message) -> bool:
    """Whether the part says that it is encoded so."""
    return raw_header(part, "Content-Transfer-Encoding").lower() == "base64"


def base64(code: bytes) -> bytes:
    """Base64 decoded as far as it goes: foreign characters are skipped, and padding ends a piece, not the text."""
    pieces = []
    for piece in _BASE64.sub(b"", code).split(b"="):
        whole = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
        pieces.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(pieces)


def text_of(part: Message) -> str:
    """The text of a part."""
    return decode(payload(part), parameter(part, "Content-Type", "charset"))


def raw_header(mail: Message, name: str) -> str:
    """The first header of this name, unfolded; encoded words are left. "" if there is none."""
    return next((unfolded(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")


def unfolded(value: object) -> str:
    """A header's value on one line. Bytes beyond ASCII are decoded (RFC 6532, or raw Shift_JIS)."""
    text = str(value)
    if not text.isascii():
        try:
            text = decode(text.encode("ascii", "surrogateescape"))
        except UnicodeEncodeError:
            text = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(text.split())


def words(text: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047), also inside quotes and without spaces between."""
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
        # Characters may be split between words, against RFC 2047 §5.
        pending.append(_word(match[2], match[3]))
        charset, at = match[1], match.end()
    pieces += [decode(b"".join(pending), charset), text[at:]]
    return "".join(pieces)


def _word(encoding: str, code: str) -> bytes:
    content = code.encode("utf-8", "replace")
    return base64(content) if encoding in "bB" else quopri.decodestring(content, header=True)


def parameter(part: Message, header: str, name: str) -> str:
    """A parameter of a MIME header, "" if it has none: RFC 2231, else plain or encoded words, also unquoted."""
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
    """RFC 2231 §4.1: numbered pieces, of which the first may name a charset."""
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
    """The name of a part, from its disposition or else its type; "" if it has none."""
    name = parameter(part, "Content-Disposition", "filename") or parameter(part, "Content-Type", "name")
    return file_name(name) if name else ""


def file_name(name: str) -> str:
    """A file's name without path and control characters, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:200] or "file"

"""The structure of an email (RFC 5322, RFC 2045, RFC 2046), parsed in linear time and within limits.

The standard library's parser recurses into each nested part and reads structured headers in quadratic time, so an email
of a few kilobytes can bring it to a halt. This parser finds headers and boundaries with regular expressions that never
backtrack. It skips whatever exceeds the limits, and lists it in ``Mail.unread``. The parts are
``email.message.Message`` objects with unparsed headers (``compat32``), whose bytes are decoded only on demand.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from email.message import Message
from email.policy import compat32
from itertools import islice
from typing import Any

#: Number of parts of an email, including containers, and how deeply they may be nested.
MAX_PARTS = 500
MAX_DEPTH = 15
#: Number of header fields in an email and all its parts together.
MAX_FIELDS = 5_000
#: Number of bytes that are kept of a header field's value. The rest is dropped. References keeps its end, which names
#: the newest emails.
MAX_VALUE = 20_000
#: Number of groups of fields in a delivery report, with one group for each recipient.
MAX_GROUPS = 100
#: Greatest number of lines of uuencoded content. Longer content is not decoded.
MAX_UU_LINES = 100_000

_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:((?:[^\r\n]*+(?:\r\n|\n|\r)[ \t])*+[^\r\n]*+)(?:\r\n|\n|\r|\Z)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
_BLANK_LINES = re.compile(rb"[ \t\r\n]++")
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r|\Z)")
_BOUNDARY = re.compile(r""";\s*+boundary\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;\s]++))""", re.IGNORECASE | re.DOTALL)
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_GROUPS = ("message/delivery-status", "message/global-delivery-status")


class Part(Message):
    """A part of an email. ``source`` contains its bytes without the header, before any decoding."""

    #: Whether the part claims to be multipart although its boundary never occurs. Mail programs then show it as text.
    without_boundary = False

    def __init__(self, whole: bytes, start: int, end: int) -> None:
        self._whole, self.start, self.end = whole, start, end
        self._parts: list[Message] | None = None
        super().__init__(policy=compat32)

    @property
    def source(self) -> bytes:
        return self._whole[self.start : self.end]

    @property
    def _payload(self) -> Any:
        """The value that the standard library's methods and generators use. Decoded anew each time, to keep no copy."""
        return self._parts if self._parts is not None else self.source.decode("ascii", "surrogateescape")

    @_payload.setter
    def _payload(self, value: Any) -> None:
        self._parts = value if isinstance(value, list) else None

    def is_multipart(self) -> bool:
        return self._parts is not None

    def get_payload(self, i: int | None = None, decode: bool = False) -> Any:
        """Return the payload as in ``Message``; with ``decode``, the decoded bytes of a leaf.

        Never raises because of its content.
        """
        if not decode or self._parts is not None:
            return super().get_payload(i, decode)  # type: ignore[call-overload]
        encoding = str(self.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding == "base64":
            return base64_of(self.source)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(self.source)
        if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
            return _uudecoded(self.source)
        return self.source

    def get_content_type(self) -> str:
        return "text/plain" if self.without_boundary else super().get_content_type()

    def add_field(self, name: str, value: str) -> None:
        """Add a header field as it was received."""
        self.set_raw(name, value)


class Mail(Part):
    """An email. ``problems`` lists what is malformed, ``unread`` what was skipped because it exceeds a limit."""

    def __init__(self, whole: bytes, start: int, end: int) -> None:
        super().__init__(whole, start, end)
        self.problems: list[str] = []
        self.unread: list[str] = []


def read(raw: bytes) -> Mail:
    """Read the structure of an email. Never raises because of its content; linear in its size."""
    mail = Mail(raw, 0, len(raw))
    reader = _Reader(raw, mail)
    begin = 0
    if raw.startswith((b"From ", b">From ")):
        line = _LINE.match(raw)
        begin = line.end() if line is not None else 0
    reader.fill(mail, begin, 0)
    return mail


def base64_of(code: bytes) -> bytes:
    """Decode base64 as far as possible. Foreign characters are skipped; padding ends a piece, but not the content."""
    pieces = code.translate(None, _NOT_BASE64).split(b"=", 1_000)
    decoded = []
    for piece in pieces:
        whole = piece.replace(b"=", b"")
        whole = whole[:-1] if len(whole) % 4 == 1 else whole
        decoded.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(decoded)


def _uudecoded(code: bytes) -> bytes:
    lines = code.split(b"\n", MAX_UU_LINES)
    if len(lines) > MAX_UU_LINES:
        return code
    decoded = []
    for line in lines:
        if line.startswith(b"begin ") or not line.strip():
            continue
        if line.strip() == b"end":
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some programs add too much padding to a line.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                return code
    return b"".join(decoded)


class _Reader:
    """Reader for one email, which counts its parts and fields against the limits."""

    def __init__(self, raw: bytes, mail: Mail) -> None:
        self.raw = raw
        self.mail = mail
        self.parts = 1
        self.fields = 0

    def fill(self, part: Part, begin: int, depth: int) -> None:
        """Read the header and inner parts of ``part``, whose header starts at ``begin``."""
        part.start = self._header(part, begin, part.end)
        kind = part.get_content_type()
        if not kind.startswith(("multipart/", "message/")) or _is_encoded(part):
            return
        if depth >= MAX_DEPTH:
            self._unread("parts are nested too deep")
            return
        if kind in _GROUPS:
            part._payload = list(self._field_groups(part))
        elif kind.startswith("message/"):
            self._add(part, [(part.start, part.end)], depth)
        else:
            boundary = _boundary(part)
            spans = list(self._spans(part, boundary)) if boundary else []
            if spans:
                self._add(part, spans, depth)
            else:
                part.without_boundary = True
                self._problem("no part of a multipart was found")

    def _add(self, part: Part, spans: list[tuple[int, int]], depth: int) -> None:
        part._payload = []
        digest = part.get_content_type() == "multipart/digest"
        for start, end in spans:
            if self.parts >= MAX_PARTS:
                self._unread("too many parts")
                return
            self.parts += 1
            inner = Part(self.raw, start, end)
            if digest:
                inner.set_default_type("message/rfc822")
            self.fill(inner, start, depth + 1)
            part.attach(inner)

    def _header(self, part: Part, at: int, end: int) -> int:
        """Add the header's fields to the part, and return where its body starts."""
        if self.raw[at : at + 1] in (b" ", b"\t"):
            self._problem("the header begins with a continuation")
            line = _LINE.match(self.raw, at, end)
            at = line.end() if line is not None else at
        while at < end:
            field = _FIELD.match(self.raw, at, end)
            if field is None:
                blank = _LINE_END.match(self.raw, at, end)
                if blank is None:
                    self._problem("no empty line after the header")
                    return at
                return blank.end()
            if self.fields >= MAX_FIELDS:
                self._unread("too many header fields")
                ending = _BLANK_LINE.search(self.raw, at, end)
                return ending.end() if ending is not None else end
            self.fields += 1
            part.add_field(field[1][:200].decode("ascii"), self._value(field))
            at = field.end()
        return end

    def _value(self, field: re.Match[bytes]) -> str:
        start, end = field.span(2)
        if end - start > MAX_VALUE:
            self._problem("a header field is too long")
            if field[1].lower() == b"references":
                start = end - MAX_VALUE
            else:
                end = start + MAX_VALUE
        return self.raw[start:end].decode("ascii", "surrogateescape").lstrip(" \t")

    def _spans(self, part: Part, boundary: bytes) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each part between the lines with the boundary (RFC 2046 §5.1.1)."""
        line = re.escape(b"--" + boundary)
        delimiter = re.compile(line + rb"(?<=[\r\n]" + line + rb")(--)?+[ \t]*+(?=[\r\n]|\Z)")
        begun = -1
        for found in islice(delimiter.finditer(self.raw, part.start, part.end), MAX_PARTS - self.parts + 2):
            if begun >= 0:
                yield begun, self._before_line_end(begun, found.start())
            ending = _LINE_END.match(self.raw, found.end(), part.end)
            begun = ending.end() if ending is not None else found.end()
            if found[1]:
                return
        if begun >= 0:
            yield begun, part.end

    def _before_line_end(self, start: int, end: int) -> int:
        """Return ``end`` without the line break before a delimiter, which belongs to the delimiter."""
        if end > start and self.raw[end - 1 : end] == b"\n":
            end -= 1
        if end > start and self.raw[end - 1 : end] == b"\r":
            end -= 1
        return end

    def _field_groups(self, part: Part) -> Iterator[Part]:
        """Yield the groups of fields in a delivery report (RFC 3464 §2.1)."""
        at, number = part.start, 0
        while at < part.end:
            blank = _BLANK_LINES.match(self.raw, at, part.end)
            at = blank.end() if blank is not None else at
            if number >= MAX_GROUPS:
                self._problem("too many recipients in a report")
                return
            group = Part(self.raw, at, part.end)
            at = self._header(group, at, part.end)
            group.start = group.end = at
            if not group.keys():
                return
            number += 1
            yield group

    def _problem(self, words: str) -> None:
        if words not in self.mail.problems:
            self.mail.problems.append(words)

    def _unread(self, words: str) -> None:
        if words not in self.mail.unread:
            self.mail.unread.append(words)


def _is_encoded(part: Part) -> bool:
    """Whether a container is encoded, in violation of RFC 2045 §6.4. It is then kept as a file."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    return part.get_content_maintype() == "message" and encoding in ("base64", "quoted-printable")


def _boundary(part: Part) -> bytes:
    """Return the boundary, even if it is unquoted and contains ``=``, as in old versions of Outlook Express."""
    value = next((value for name, value in part.raw_items() if name.lower() == "content-type"), "")
    found = _BOUNDARY.search(" ".join(str(value).splitlines()))
    if found is None:
        return b""
    text = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
    # RFC 2046 allows 70 characters.
    return text.rstrip().encode("ascii", "surrogateescape")[:200]

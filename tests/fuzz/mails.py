"""Hostile mails that have the structure of mails: nesting, headers, encodings, HTML, sizes up to 25 MB.

The same seed makes the same mails. ``KNOWN`` are those that once broke a reader of mails, ours or another.
"""

from __future__ import annotations

import base64
import math
import random
from collections.abc import Iterator

#: Largest mail that the door takes.
MOST = 25 * 1024 * 1024
CRLF = b"\r\n"
_TEXTS = (
    "Shall we meet at eight?",
    "連絡先を教えてください。",
    "Mein Zimmer, bitte.",
    "LINE: hanako_22",
    "> quoted",
    "-- ",
)
_CHARSETS = (
    "utf-8",
    "iso-2022-jp",
    "shift_jis",
    "euc-jp",
    "us-ascii",
    "klingon",
    "idna",
    "zlib",
    "utf-7",
    "utf-16",
    '"',
    "",
)
_ENCODINGS = ("7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "binary", "BASE64 ", "nonsense", "")
_TYPES = (
    "text/plain",
    "text/html",
    "application/pdf",
    "image/png",
    "text/calendar",
    "message/rfc822",
    "text/",
    "message/delivery-status",
    "message/external-body",
    "application/ms-tnef",
    "multipart/mixed",
    "/",
    "",
)
_KINDS = ("mixed", "alternative", "related", "report", "digest", "signed", "x", "parallel")
#: Repeated in header values.
IN_HEADERS = (
    "(",
    ")",
    '"',
    "<",
    ">",
    ",",
    "a@b.example, ",
    "=?utf-8?q?=22a=0d=0ab=22?= <x@y.z>, ",
    "=?utf-8?b?44GC?= ",
    "=?",
    "?=",
    "\\",
    ";x=1",
    ";x*0*=%ff",
    ":",
    "\r\n ",
    "\r\n\t",
    "\0",
    "\udc80",
    "\udcff",
    "<a@b.example>",
    "9",
    ".",
    "@",
    "é",
    "\r",
    "\n",
    "=?x?q?",
    "[",
    "]",
    "a",
    " ",
    "+abcdefghjkmnpqrstuvw@",
    "x@y (",
)
#: Repeated in HTML.
IN_HTML = (
    "<div>",
    "<!--",
    '<a "',
    "<![x]>",
    "<b>",
    "</i>",
    "<table>x",
    "<p>x",
    "<b><p></b>",
    "<nobr>",
    "<a href=x>y",
    "&",
    "&#1",
    "&#" + "9" * 5000 + ";",
    "&amp",
    "<",
    ">",
    "<script>",
    "<?",
    "<![CDATA[",
    "<title>",
    "<select>",
    "<blockquote>",
    "<svg><a>",
    "<template>",
    "</p>",
    "\0",
    "<!DOCTYPE ",
    "<style>",
    "<textarea>",
    "<plaintext>",
    "<br>",
    "<td>",
    "x",
    "\n",
    "<font color=1>",
    ' a="',
    "<img src='data:image/png;base64,AAAA'>",
    "<li>",
    "<x:y>",
    "<head>",
    "<frameset>",
    "\udc80",
    "<a href='https://a.example/%s'>z</a>",
    "-->",
    "]]>",
    "<dd>",
)
IN_TEXT = (
    "> ",
    "\r\n",
    "\n",
    "\r",
    "x",
    "On Monday, X <a@b> wrote:\r\n> a\r\n",
    "From: x\r\nTo: y\r\n",
    "-- \r\n",
    "あ",
    ".",
    "\0",
    "\r\n.\r\r\n",
    "090-1234-5678 ",
    "「",
    "line %d\r\n",
    "10:02 Hanako: hi\r\n",
    "=",
    "=41",
    "=\r\n",
    " ",
    "\x1b$B",
)

KNOWN: dict[str, bytes] = {
    "comments in From": b"From: " + b"(" * 600 + b"a@b.example\r\n\r\nhi\r\n",
    "comments in Content-Type": b"Content-Type: " + b"(" * 3_000 + b"\r\n\r\nhi\r\n",
    "nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(2_000)
    ),
    "nested mails": b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "marked section": b"Content-Type: text/html\r\n\r\n<![x]>hi\r\n",
    "open comments": b"Content-Type: text/html\r\n\r\n" + b"<!--" * 80_000 + CRLF,
    "open quotes": b"Content-Type: text/html\r\n\r\n" + b'<a "' * 10_000 + CRLF,
    "deep HTML": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 2_000_000 + CRLF,
    "wrong ends": b"Content-Type: text/html\r\n\r\n" + b"<b>" * 390 + b"</i>" * 1_000_000 + CRLF,
    "attributes": b"Content-Type: text/html\r\n\r\n<a " + b"".join(b"a%d=1 " % n for n in range(500_000)) + b">x\r\n",
    "References": b"References: " + b"<a@b.example> " * 150_000 + b"\r\n\r\nhi\r\n",
    "folded References": b"References:" + b"\r\n <a@b.example>" * 120_000 + b"\r\n\r\nhi\r\n",
    "To": b"To: " + b"a@b.example, " * 200_000 + b"\r\n\r\nhi\r\n",
    "Subject": b"Subject: " + b"=?utf-8?b?44GC?= " * 41_000 + b"\r\n\r\nhi\r\n",
    "parameters": b"Content-Type: text/plain; " + b"".join(b"x*%d*=a; " % n for n in range(20_000)) + b"\r\n\r\nhi\r\n",
    "line end in a name": b"Cc: =?utf-8?q?=22a=0d=0ab=22?= <x@y.z>\r\n"
    b"To: =?utf-8?q?=22a=0d=0ab=22?= <x@y.z>\r\n\r\nhi\r\n",
    "two long texts": b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
    + b"".join(b"line %d\r\n" % n for n in range(60_000))
    + b"--b\r\nContent-Type: text/html\r\n\r\n"
    + b"".join(b"<p>other %d</p>\r\n" % n for n in range(60_000))
    + b"--b--\r\n",
    "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 300_000,
    "fields": b"A: b\r\n" * 1_000_000 + b"\r\nhi\r\n",
    "blank status": b"Content-Type: message/delivery-status\r\n\r\n" + b"\r\n" * 2_000_000,
    "long line": b"Subject: x\r\n\r\n" + b"x" * 100_000 + CRLF,
    "short lines": b"Subject: x\r\n\r\n" + CRLF * 5_000_000,
    "padding": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 5_000_000 + CRLF,
    "digits": b"Content-Type: text/html; charset*" + b"9" * 5_000 + b"=x\r\n\r\n&#" + b"9" * 100_000 + b";\r\n",
    "dots": b"\r\n" + b".\r\n..\r\n...\r\n" * 1_000,
    "empty": b"",
    "no header": b"hello\r\n",
    "links": b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<a href='https://a.example/x'>y</a>" * 100_000 + b"\r\n--b--\r\n",
}


def mails(seed: int, number: int) -> Iterator[bytes]:
    """So many mails, the known ones first. Each ends with a line end, as SMTP transports it."""
    rng = random.Random(seed)
    known = list(KNOWN.values())
    for at in range(number):
        made = known[at] if at < len(known) else _Maker(rng).mail()
        # Without a Message-ID, mails are told apart by subject, addresses, date and content.
        identity = b"Message-ID: <%d.%d@fuzz.example>\r\n" if rng.random() < 0.9 else b"Subject: %d.%d\r\n"
        made = identity % (seed, at) + made
        made = made[:MOST]
        yield made if made.endswith(CRLF) else made[: MOST - 2] + CRLF


class _Maker:
    """Makes one mail."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        draw = rng.random()
        largest = 20_000 if draw < 0.9 else 500_000 if draw < 0.98 else 5_000_000 if draw < 0.995 else MOST
        #: Bytes that may still be made.
        self.left = int(math.exp(rng.uniform(math.log(200), math.log(largest))))

    def mail(self) -> bytes:
        depth = self.rng.choice((1, 2, 3, 3, 4, 20, 400) if self.rng.random() < 0.3 else (1, 2, 3))
        made = self._head() + self._part(depth)
        while self.rng.random() < 0.35:
            made = self._damaged(made)
        return made

    def _head(self) -> bytes:
        lines = []
        for name in (
            "From",
            "To",
            "Cc",
            "Reply-To",
            "Subject",
            "Date",
            "References",
            "In-Reply-To",
            "Return-Path",
            "Received",
            "Auto-Submitted",
            "Delivered-To",
            "MIME-Version",
            "X-\u00e9",
            "",
        ):
            if self.rng.random() < 0.5:
                lines += [_bytes(f"{name}: {self._value(name)}\r\n")]
        self.rng.shuffle(lines)
        return b"".join(lines)

    def _value(self, name: str) -> str:
        plain = {
            "From": f"Hanako Sato <hanako-{self.rng.randrange(10_000)}@mail.example>",
            "Date": "Tue, 24 Nov 2026 10:00:00 +0900",
            "Subject": "=?utf-8?b?44GC?= =?iso-2022-jp?b?GyRCJCIbKEI=?=",
            "References": "<a@b.example> <c@d.example>",
        }
        if self.rng.random() < 0.5:
            return plain.get(name, "Guests <guests@kaede.example>")
        return self._repeated(IN_HEADERS, 0.2) + self.rng.choice((" <a@b.example>", "", "\r\n"))

    def _repeated(self, fragments: tuple[str, ...], share: float) -> str:
        pieces = []
        for _ in range(self.rng.choice((1, 1, 2, 5))):
            fragment = self.rng.choice(fragments)
            times = self.rng.choice((1, 3, 700, max(1, int(self.left * share) // max(1, len(fragment)))))
            pieces.append(fragment * max(1, min(times, self.left // max(1, len(fragment)))))
            self.left -= len(pieces[-1])
        return "".join(pieces)

    def _part(self, depth: int) -> bytes:
        if depth > 1 and self.rng.random() < (0.97 if depth > 5 else 0.6):
            return self._container(depth)
        kind, charset, encoding = (self.rng.choice(options) for options in (_TYPES, _CHARSETS, _ENCODINGS))
        head = f"Content-Type: {kind}; charset={charset}{self._parameters()}\r\n"
        head += f"Content-Transfer-Encoding: {encoding}\r\n"
        if self.rng.random() < 0.3:
            head += (
                f"Content-Disposition: attachment; filename={self._repeated(IN_HEADERS, 0.05)}{self._parameters()}\r\n"
            )
        return _bytes(head) + CRLF + self._content(kind, charset, encoding)

    def _parameters(self) -> str:
        if self.rng.random() < 0.7:
            return ""
        return "".join(f"; x*{n}*=%{n % 256:02x}" for n in range(self.rng.choice((1, 30, 2_000))))

    def _container(self, depth: int) -> bytes:
        boundary = self.rng.choice(
            (f"b{depth}", "b", f"----=_Part_{depth}", '"', "-" * 70, "(?:", f'"a b {depth}"', "x" * 300)
        )
        if self.rng.random() < 0.15:
            return b"Content-Type: message/rfc822\r\n\r\n" + self._head() + self._part(depth - 1)
        head = f"Content-Type: multipart/{self.rng.choice(_KINDS)}; boundary={boundary}\r\n\r\n"
        line = _bytes("--" + boundary.strip('"'))
        number = 1 if depth > 5 else self.rng.choice((0, 1, 2, 2, 3, 60))
        parts = []
        for _ in range(number):
            if self.left <= 0:
                break
            parts.append(line + self.rng.choice((CRLF, b"  \r\n", b"x\r\n")) + self._part(depth - 1) + CRLF)
        return _bytes(head) + b"".join(parts) + (line + b"--\r\n" if self.rng.random() < 0.8 else b"")

    def _content(self, kind: str, charset: str, encoding: str) -> bytes:
        text = self.rng.choice(_TEXTS) + "\r\n"
        text += self._repeated(IN_HTML if kind == "text/html" else IN_TEXT, self.rng.choice((0.1, 0.9, 1)))
        try:
            content = text.encode(charset or "utf-8", "surrogateescape")
        except (LookupError, UnicodeError, ValueError):
            content = _bytes(text)
        if encoding == "base64" and self.rng.random() < 0.8:
            content = base64.encodebytes(content).replace(b"\n", CRLF)
        return content

    def _damaged(self, made: bytes) -> bytes:
        at = self.rng.randrange(len(made) + 1)
        end = min(len(made), at + self.rng.choice((1, 10, 1_000)))
        return self.rng.choice(
            (
                made[:at],
                made[:at] + made[end:],
                made[:at] + made[at:end] * 2 + made[end:],
                made[:at] + self.rng.randbytes(3) + made[at:],
                made[:at] + CRLF + made[at:],
            )
        )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

"""Plain text of an HTML email, with the targets of its links.

lxml's parser reports tags and text as it reads them, without building a tree. The algorithm with which browsers build a
tree takes quadratic time and memory for wrongly nested tags. Even without a tree, a few inputs take more than linear
time, so there are limits. Anything beyond them is stripped of its tags without being parsed, and reported as unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

#: Number of characters of HTML that are parsed.
MAX_LENGTH = 2_000_000
#: Number of tags, and how deeply they may be nested.
MAX_TAGS = 100_000
MAX_DEPTH = 400
#: Number of characters in one tag, and number of tags and pieces of text that the parser reports.
MAX_TAG = 50_000
MAX_EVENTS = 200_000
#: Number of characters passed to the parser at once.
_STEP = 16_384

_BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr", "pre"}
)
#: Tags that break a line and have no content.
_EMPTY = frozenset({"br", "hr"})
_CELLS = frozenset({"td", "th"})
_SILENT = frozenset({"script", "style", "head", "title"})
_LINKS = ("http:", "https:", "mailto:", "tel:", "line:", "sms:", "tg:")
#: A picture embedded in HTML, which contains no text.
PICTURE = re.compile(rb"data:[\w/+.;=-]{1,100},[A-Za-z0-9+/=%\s]{100,}+", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*+>?")
_LONG_TAG = re.compile(rf"<[^<>]{{{MAX_TAG}}}")


@dataclass(frozen=True)
class HtmlText:
    """The text of an HTML email.

    In ``text``, quotes are marked with ``>`` and link targets are added. ``whole`` says whether all of the HTML was
    read.
    """

    text: str
    whole: bool


class _BeyondLimitsError(Exception):
    """The HTML is nested too deeply, or has too many tags."""


class _Reader:
    """The parser's target, which collects the text."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._events = 0
        self._depth = 0
        self._silent = 0
        self._quotes = 0
        self._targets: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _BeyondLimitsError
        if tag in _SILENT:
            self._silent += 1
        if tag == "blockquote":
            self._quotes += 1
        if tag in _BLOCKS:
            self._break()
        if tag == "a":
            self._targets.append(attributes.get("href") or "")

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag == "blockquote" and self._quotes:
            self._quotes -= 1
        if tag in _BLOCKS and tag not in _EMPTY:
            self._break()
        if tag in _CELLS:
            self.parts.append(" ")
        if tag == "a" and self._targets:
            target = self._targets.pop()
            if target.startswith(_LINKS):
                self.parts.append(f" <{target}>")

    def data(self, data: str) -> None:
        self._count()
        if self._silent:
            return
        text = " ".join(data.split())
        leading = data[:1].isspace() and bool(self.parts) and not self.parts[-1].endswith((" ", "\n", "> "))
        if text:
            self.parts.append(f"{' ' if leading else ''}{text}{' ' if data[-1:].isspace() else ''}")
        elif leading:
            self.parts.append(" ")

    def comment(self, text: str) -> None:
        """Ignore comments, which are not shown."""

    def close(self) -> None:
        """Do nothing, since nothing is pending."""

    def _break(self) -> None:
        self.parts.append("\n" + "> " * min(self._quotes, 1))

    def _count(self) -> None:
        self._events += 1
        if self._events > MAX_EVENTS:
            raise _BeyondLimitsError


def html_text(html: str) -> str:
    """Return only the text of an HTML email; see ``read_html``."""
    return read_html(html).text


def read_html(html: str) -> HtmlText:
    """Convert an HTML email to plain text. Never raises; linear in the length."""
    source = html.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    end = _end(source)
    reader = _Reader()
    parser = etree.HTMLParser(target=reader, recover=True, remove_comments=True, remove_pis=True, no_network=True)
    at = 0
    try:
        while at < end:
            parser.feed(source[at : min(at + _STEP, end)])
            at = min(at + _STEP, end)
        if end:
            parser.close()
    except (_BeyondLimitsError, etree.LxmlError, AssertionError, ValueError):
        # Add all of this step as raw text. Some of it may then occur twice, but none of it is lost.
        end = at
    rest = source[end:]
    if rest.strip():
        reader.parts += ["\n", _TAG.sub(" ", rest)]
    lines = [line.rstrip() for line in "".join(reader.parts).split("\n")]
    lines = [line for index, line in enumerate(lines) if line.strip("> ") or (index and lines[index - 1].strip("> "))]
    return HtmlText("\n".join(lines).strip(), whole=not rest.strip())


def _end(source: str) -> int:
    """Return how much of the HTML is within the limits on length and tags."""
    end = min(len(source), MAX_LENGTH)
    long_tag = _LONG_TAG.search(source, 0, end)
    if long_tag is not None:
        end = long_tag.start()
    pieces = source[:end].split("<", MAX_TAGS + 1)
    return end if len(pieces) <= MAX_TAGS + 1 else end - len(pieces[-1]) - 1

"""Types for the parts of a text and their owners."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Whose(StrEnum):
    """Who a part's words belong to. ``unknown`` is treated as the writer, so that ambiguous text is judged too."""

    WRITER = "writer"
    OTHER = "other"
    UNKNOWN = "unknown"
    NOBODY = "nobody"

    @property
    def is_judged(self) -> bool:
        """Whether the part is judged as the writer's words."""
        return self in (Whose.WRITER, Whose.UNKNOWN)


class Part(StrEnum):
    """The type of a part of a text."""

    TEXT = "text"
    QUOTE = "quote"
    FRAME = "frame"
    LABEL = "label"
    SPEECH = "speech"
    REPORTED = "reported"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"


class Segment(NamedTuple):
    """A half-open span of the original text, in code points."""

    start: int
    end: int
    whose: Whose
    part: Part


class Line(NamedTuple):
    """A non-blank line. ``end`` is after its line break; ``text`` is stripped and truncated.

    ``apart`` says whether a blank line precedes the line.
    """

    start: int
    end: int
    text: str
    apart: bool


class Mark(NamedTuple):
    """The owner and type of a line, and the number of characters at its start that are a label."""

    whose: Whose
    part: Part
    label: int = 0
    #: Lines of one quote share a number; they are compared with earlier messages together.
    region: int = 0


#: Lines after this many are not classified and count as the writer's.
MOST_LINES = 800
#: How many characters of a line are read. Lines written by email clients are shorter.
LONGEST_LINE = 400


def lines_of(text: str) -> list[Line]:
    """Return the lines that are not blank, at most ``MOST_LINES``."""
    lines: list[Line] = []
    start, apart = 0, False
    for raw in text.split("\n"):
        end = start + len(raw) + 1
        if not raw or raw.isspace():
            apart = True
        else:
            if len(lines) >= MOST_LINES:
                break
            lines.append(
                Line(start, min(end, len(text)), raw.strip("\r \t\u3000\u200e\ufeff\xa0")[:LONGEST_LINE], apart)
            )
            apart = False
        start = end
    return lines

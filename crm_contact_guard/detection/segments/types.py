"""Whose words a part of a text holds."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Whose(StrEnum):
    """``unknown`` is treated as the writer's: what can't be told apart is judged, never left unread."""

    WRITER = "writer"
    OTHER = "other"
    UNKNOWN = "unknown"
    NOBODY = "nobody"

    @property
    def is_judged(self) -> bool:
        """Whether the writer answers for it."""
        return self in (Whose.WRITER, Whose.UNKNOWN)


class Part(StrEnum):
    """What a part of a text is."""

    TEXT = "text"
    QUOTE = "quote"
    FRAME = "frame"
    LABEL = "label"
    SPEECH = "speech"
    REPORTED = "reported"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"


class Segment(NamedTuple):
    """A stretch of the original text (code points, half open)."""

    start: int
    end: int
    whose: Whose
    part: Part


class Line(NamedTuple):
    """A line that is not blank. ``end`` is behind its line break, ``text`` stripped and capped.

    ``apart``: a blank line stands before it.
    """

    start: int
    end: int
    text: str
    apart: bool


class Mark(NamedTuple):
    """What is known of a line: its part, and how many of its characters from its start are a label."""

    whose: Whose
    part: Part
    label: int = 0
    #: Lines of one quote share a number, by which they are compared with what was said.
    region: int = 0


#: Beyond so many lines nothing is told apart any more: all is the writer's.
MOST_LINES = 800
#: Of a line so many characters are looked at; what mail programs write is shorter.
LONGEST_LINE = 400


def lines_of(text: str) -> list[Line]:
    """The lines that are not blank, at most ``MOST_LINES``."""
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

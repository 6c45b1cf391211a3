"""Separate a mail's new text from quoted history and signature, for the record and for display.

Both parts are recorded. This does not decide what is inspected: quotes are compared with earlier messages, and new text
among them is treated as the writer's own (``conversations/quotes.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.detection.segments import Part, segments
from crm_contact_guard.detection.types import Direction

#: Parts that mail programs and writers add around the new text.
_ADDED = frozenset({Part.QUOTE, Part.FRAME, Part.SIGNATURE, Part.DISCLAIMER})


@dataclass(frozen=True)
class Parts:
    """``new``: the new text. ``quoted``: everything else, in order."""

    new: str
    quoted: str


def split(text: str) -> Parts:
    """Split a plain-text mail body. Text below or between quotes is new text, since people reply inline."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    new: list[str] = []
    quoted: list[str] = []
    for part in segments(whole, Direction.INBOUND):
        added = part.part in _ADDED and not part.whose.is_judged
        (quoted if added else new).append(whole[part.start : part.end])
    return Parts(new=_tidy(new), quoted=_tidy(quoted))


def _tidy(pieces: list[str]) -> str:
    """Join the pieces, each on separate lines, since only disclaimers begin within a line."""
    joined = "".join(piece if piece.endswith("\n") else f"{piece}\n" for piece in pieces if piece)
    lines = joined.split("\n")
    lines = [line for at, line in enumerate(lines) if line.strip() or (at and lines[at - 1].strip())]
    return "\n".join(lines).strip()

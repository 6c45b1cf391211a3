"""Telling a mail's new text from quoted history and signature, for the record and for display.

Both parts are kept. What is told apart here decides nothing about what is scanned: the record compares the quotes with
what was really said, and what nobody said before is the writer's (``conversations/quotes.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.detection.segments import Part, segments
from crm_contact_guard.detection.types import Direction

#: What mail programs and writers add below or between the new words.
_ADDED = frozenset({Part.QUOTE, Part.FRAME, Part.SIGNATURE, Part.DISCLAIMER})


@dataclass(frozen=True)
class Parts:
    """``new``: what the writer newly wrote. ``quoted``: everything else, in its order."""

    new: str
    quoted: str


def split(text: str) -> Parts:
    """Split a plain-text mail body. Text below or between quotes is new text, too: people answer inline."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    new: list[str] = []
    quoted: list[str] = []
    for part in segments(whole, Direction.INBOUND):
        added = part.part in _ADDED and not part.whose.is_judged
        (quoted if added else new).append(whole[part.start : part.end])
    return Parts(new=_tidy(new), quoted=_tidy(quoted))


def _tidy(pieces: list[str]) -> str:
    """The pieces as one text; each on lines of its own, as only disclaimers begin within one."""
    joined = "".join(piece if piece.endswith("\n") else f"{piece}\n" for piece in pieces if piece)
    lines = joined.split("\n")
    kept = [line for at, line in enumerate(lines) if line.strip() or (at and lines[at - 1].strip())]
    return "\n".join(kept).strip()

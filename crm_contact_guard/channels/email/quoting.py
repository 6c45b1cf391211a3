"""Separate an email's new text from quoted history and signature, for the record and for display.

Both parts are recorded. The split doesn't decide what is inspected: quotes are compared with earlier messages, and new
text among them is treated as the writer's own (``conversations/quotes.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crm_contact_guard.channels.email.patterns import listed
from crm_contact_guard.detection.identifiers.families import FREE
from crm_contact_guard.detection.segments import Part, segments
from crm_contact_guard.detection.segments.attributions import LONGEST, depth, frame_at
from crm_contact_guard.detection.segments.frames import is_device
from crm_contact_guard.detection.segments.words import sought
from crm_contact_guard.detection.types import Direction

#: Number of lines that are searched for attribution lines, header blocks and signatures. In later lines, only text with
#: quote marks counts as a quote.
MOST_LINES = 4_000
_STRIPPED = " \t\r\f\v\u3000\u200e\u200f\ufeff\xa0"
_DELIMITER = re.compile(r"(?:[-=+]{2,4}|_{2,4}|-- .{0,40}|_{20,}|-{20,})")
_HYPHENED = re.compile(r"-[^\W\d_][\w.'’\-]{0,20}(?: [^\W\d_][\w.'’\-]{0,20}){0,2}")
#: Greatest number of lines below a delimiter that can be a signature.
_LONGEST_SIGNATURE = 14
_DIGITS = re.compile(r"(?:\d[\s\-()/.]?){7,}")


@dataclass(frozen=True)
class Parts:
    """The two parts of an email's text: ``new`` is the new text, ``quoted`` is everything else, in order."""

    new: str
    quoted: str


def split(text: str) -> Parts:
    """Split the body of a plain-text email. Text below or between quotes is new text, since people reply inline."""
    # Replace lone surrogates, which RE2 can't handle.
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    lines = whole.split("\n")
    read = [line[:LONGEST].strip(_STRIPPED) for line in lines[:MOST_LINES]]
    added = [False] * len(lines)
    depths = [depth(line[:LONGEST]) for line in lines]
    starts = _mark_quotes(read, depths, added)
    _mark_signatures(read, added)
    _mark_company_lines(lines, added)
    new: list[str] = []
    quoted: list[str] = []
    for at, line in enumerate(lines):
        if at in starts:
            new.append(line[: starts[at]])
            quoted.append(line[starts[at] :])
        else:
            (quoted if added[at] else new).append(line)
    return Parts(new=_tidy(new), quoted=_tidy(quoted))


def _mark_quotes(read: Sequence[str], depths: Sequence[int], added: list[bool]) -> dict[int, int]:
    """Mark quotes and the attribution lines and header blocks that introduce them.

    Return a mapping for those that begin within a line, from the line's index to the position where they begin.
    """
    starts: dict[int, int] = {}
    at = 0
    while at < len(read):
        line = read[at]
        if not line:
            at += 1
            continue
        if depths[at] or _is_barred(read, at) or _is_rest_of_link(read, depths, at):
            added[at] = True
            at += 1
            continue
        frame = frame_at(read, depths, at)
        if frame is None:
            at += 1
            continue
        if frame.start:
            starts[at] = frame.start
        for index in range(at, at + frame.lines):
            added[index] = True
        at += frame.lines
        following = next((index for index in range(at, min(len(read), at + 4)) if read[index]), None)
        if following is None or not depths[following]:
            # No quote marks follow, so the mail program quotes everything to the end without them.
            added[at:] = [True] * (len(added) - at)
            return starts
    for index in range(len(read), len(depths)):
        added[index] = depths[index] > 0
    return starts


def _is_rest_of_link(read: Sequence[str], depths: Sequence[int], at: int) -> bool:
    """Whether the line continues a long link, which some programs wrap within a quote without a quote mark."""
    if not (0 < at < len(read) - 1 and depths[at - 1] and depths[at + 1]):
        return False
    is_bare = " " not in read[at].rstrip("> ")
    return is_bare and ("http" in read[at - 1] or read[at].startswith(("(http", "<http")))


def _is_barred(read: Sequence[str], at: int) -> bool:
    """Whether the line is marked as a quote by a bar, as some programs do.

    A single line with a bar is part of a table, or a smiley.
    """
    bars = ("|", "｜")
    if not read[at].startswith(bars) or read[at].endswith(bars):
        return False
    return any(0 <= index < len(read) and read[index].startswith(bars) for index in (at - 1, at + 1))


def _mark_signatures(read: Sequence[str], added: list[bool]) -> None:
    """Mark lines such as "Sent from my iPhone", and signatures at the end of each piece of new text."""
    end = len(read)
    for at in range(len(read) - 1, -1, -1):
        if added[at]:
            end = at
            continue
        line = read[at]
        if not line or len(line) > 100:
            continue
        if is_device(line):
            added[at] = True
            if not any(read[at + 1 : min(end, at + 40)]):
                end = at
            continue
        if end - at > _LONGEST_SIGNATURE + 6:
            continue
        below = [text for text in read[at + 1 : end] if text]
        if _opens_signature(read, at, below) and _is_signature(below):
            added[at:end] = [True] * (end - at)
            end = at


def _opens_signature(read: Sequence[str], at: int, below: Sequence[str]) -> bool:
    line = read[at]
    if _DELIMITER.fullmatch(line):
        return bool(below)
    is_last = len(below) <= 4 and all(len(text) <= 50 for text in below)
    if listed("closing", after="[,.!]{0,2}").fullmatch(line):
        return is_last
    return not below and bool(_HYPHENED.fullmatch(line)) and (at == 0 or not read[at - 1])


def _is_signature(below: Sequence[str]) -> bool:
    """Whether the lines below a delimiter contain only what signatures contain.

    Private contact details and phone numbers do not belong in a signature.
    """
    if len(below) > _LONGEST_SIGNATURE:
        return False
    for line in below:
        lowered = line.lower()
        if sought("signature", "private").search(lowered.replace("online", "")) or _DIGITS.search(line):
            return False
        if "@" in line and FREE.search(f"{lowered[lowered.find('@') :]}."):
            return False
    return True


def _mark_company_lines(lines: Sequence[str], added: list[bool]) -> None:
    """Mark company signatures and disclaimers, which may contain phone numbers.

    ``detection.segments`` recognises them.
    """
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    begin = 0
    for at, line in enumerate(lines):
        if added[at]:
            continue
        if at and added[at - 1]:
            # A quote separates the text above it from the text below it.
            pieces.append("")
            begin += 1
        places.append((begin, at))
        pieces.append(line)
        begin += len(line) + 1
    found = [part for part in segments("\n".join(pieces), Direction.INBOUND) if part.part in _NOBODYS]
    for start, at in places:
        while found and found[0].end <= start:
            found.pop(0)
        if found and lines[at] and found[0].start <= start and start + len(lines[at]) <= found[0].end:
            added[at] = True


#: Segments that mail programs and writers add around the new text.
_NOBODYS = frozenset({Part.SIGNATURE, Part.DISCLAIMER})


def _tidy(pieces: list[str]) -> str:
    lines = [line for at, line in enumerate(pieces) if line.strip() or (at and pieces[at - 1].strip())]
    return "\n".join(lines).strip()

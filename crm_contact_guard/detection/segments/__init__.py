"""Splits a text into the writer's words, the other side's words, and text that belongs to nobody.

Quotes in an email, other speakers in a chat export or transcript, signatures and disclaimers are not what the writer is
saying now. Anything ambiguous counts as the writer's, so that a line that merely looks like a delimiter can't hide the
text below it. Splitting takes time linear in the text and never raises. The word lists are in ``packs/segments.toml``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby

from crm_contact_guard.detection.segments import frames, reported, signatures, speakers
from crm_contact_guard.detection.segments.said import Said
from crm_contact_guard.detection.segments.types import Line, Mark, Part, Segment, Whose, lines_of
from crm_contact_guard.detection.types import Direction

__all__ = [
    "Own",
    "Part",
    "Said",
    "Segment",
    "Whose",
    "has_parts",
    "own_words",
    "pretended",
    "segments",
    "words_of_others",
]

#: A text without any of these has only one part, as nearly all short messages do.
_SIGN = re.compile(
    r"\n[^\n]*[>＞|｜:：@]|^[^\n]{0,60}[>＞:：][^\n]*\n|から送信|\n[Ss]ent |\n--|\n[＝=*＊+_━─]{3}|confidential|CONFIDENTIAL|intended|秘密|機密|を入手|\nGet |gesendet|iPhone|\n> "
)
_REPORTED = re.compile(r"[」』\"”]")


def has_parts(text: str, direction: Direction) -> bool:
    """Whether the text may have several parts. This is a cheap test."""
    if "\n" in text:
        return _SIGN.search(text) is not None or _REPORTED.search(text) is not None
    return direction is Direction.NOTE and (_REPORTED.search(text) is not None)


def segments(text: str, direction: Direction, said: Sequence[str] | Said | None = None) -> list[Segment]:
    """Return the parts of a text, in order and without gaps. Never raises.

    ``said`` holds the earlier messages of the conversation: only text that repeats one of them counts as a quote. Pass
    ``None`` if the earlier messages are unknown.
    """
    try:
        return list(_joined(text, _parts(_encodable(text), direction, said)))
    except Exception:  # a text that can't be split is judged as a whole
        return [Segment(0, len(text), Whose.WRITER, Part.TEXT)] if text else []


def _encodable(text: str) -> str:
    """Replace lone surrogates, on which RE2 fails. The length of the text stays the same."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class Own:
    """Selected parts of a text joined into one text, with a mapping of spans back to the original."""

    __slots__ = ("_begins", "_froms", "_tos", "text")

    def __init__(self, text: str, parts: Sequence[Segment]) -> None:
        pieces: list[str] = []
        self._begins: list[int] = []
        self._froms: list[int] = []
        self._tos: list[int] = []
        length = 0
        for part in parts:
            self._begins.append(length)
            self._froms.append(part.start)
            self._tos.append(part.end)
            pieces.append(text[part.start : part.end])
            length += part.end - part.start
        self.text = "".join(pieces)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the joined text to the original. A span over several parts is cut to its longest piece."""
        if not self._begins:
            return 0, 0
        first = max(0, bisect_right(self._begins, start) - 1)
        last = max(first, bisect_right(self._begins, max(start, end - 1)) - 1)
        best = (0, -1, -1)
        for part in range(first, min(last, first + 200) + 1):
            begin, origin = self._begins[part], self._froms[part]
            low = max(origin, origin + start - begin)
            high = min(self._tos[part], origin + end - begin)
            best = max(best, (high - low, -low, high))
        return (-best[1], best[2]) if best[2] >= 0 else (self._froms[first], self._froms[first])


def own_words(text: str, direction: Direction, said: Sequence[str] | Said | None = None) -> Own | None:
    """Return the writer's own words, or None if they are the whole text."""
    if not has_parts(text, direction):
        return None
    parts = segments(text, direction, said)
    if all(part.whose.is_judged for part in parts):
        return None
    return Own(text, [part for part in parts if part.whose.is_judged])


def pretended(text: str, direction: Direction, said: Sequence[str] | Said) -> Own | None:
    """Return the false quotes, which look like quotes but repeat nothing that was said. Return None without any."""
    if not has_parts(text, direction):
        return None
    judged = [part for part in segments(text, direction, said) if part.whose.is_judged]
    quoted = [part for part in segments(text, direction) if not part.whose.is_judged and part.part is Part.QUOTE]
    false = [
        Segment(max(one.start, other.start), min(one.end, other.end), one.whose, one.part)
        for other in quoted
        for one in judged
        if one.start < other.end and other.start < one.end
    ]
    return Own(text, false) if false else None


def words_of_others(text: str, direction: Direction) -> Own:
    """Return the words of others in a transcript, note or export."""
    parts = segments(text, direction) if has_parts(text, direction) else []
    spoken = (Part.SPEECH, Part.REPORTED)
    return Own(text, [part for part in parts if part.whose is Whose.OTHER and part.part in spoken])


def _parts(text: str, direction: Direction, said: Sequence[str] | Said | None) -> Iterator[Segment]:
    lines = lines_of(text)
    marks: list[Mark | None] = [None] * len(lines)
    earlier = said if said is None or isinstance(said, Said) else Said(said)
    frames.mark(lines, marks)
    speakers.mark(lines, marks, direction)
    if earlier is not None:
        _compare(text, lines, marks, earlier, direction)
    signatures.mark(lines, marks)
    note = direction is Direction.NOTE or (direction is Direction.OUTBOUND and reported.is_note(lines))
    others = list(reported.spans(text)) if note and (earlier is None or direction is Direction.NOTE) else []
    for line, mark in zip(lines, marks, strict=True):
        if mark is not None and not mark.whose.is_judged:
            yield from _of_mark(text, line, mark)
            continue
        if mark is not None and mark.label:
            yield from _label(text, line, mark.label)
        yield from (
            Segment(*span, Whose.NOBODY, Part.DISCLAIMER) for span in signatures.disclaimers(text, line.start, line.end)
        )
        while others and others[0][0] < line.end:
            start, end = others.pop(0)
            if start >= line.start:
                yield Segment(start, end, Whose.OTHER, Part.REPORTED)


def _of_mark(text: str, line: Line, mark: Mark) -> Iterator[Segment]:
    begin = line.start
    for label in _label(text, line, mark.label) if mark.label else ():
        yield label
        begin = label.end
    yield Segment(begin, line.end, mark.whose, mark.part)


def _label(text: str, line: Line, length: int) -> Iterator[Segment]:
    """Yield the label (time and name) before a speaker's words, unless it contains anything else."""
    begin = line.start + (
        len(text[line.start : line.end]) - len(text[line.start : line.end].lstrip("\r \t\u3000\u200e\ufeff\xa0"))
    )
    end = min(begin + length, line.end)
    if not speakers.label_hides(text[begin:end]):
        yield Segment(line.start, end, Whose.NOBODY, Part.LABEL)


def _compare(text: str, lines: Sequence[Line], marks: list[Mark | None], said: Said, direction: Direction) -> None:
    """Unmark false quotes: lines that don't repeat an earlier message, and frames without any repeated line."""
    checked = [
        at
        for at, mark in enumerate(marks)
        if mark is not None and mark.region and not (direction is Direction.NOTE and mark.part is Part.SPEECH)
    ]
    for _, group in groupby(checked, key=lambda at: marks[at].region):  # type: ignore[union-attr]
        region = list(group)
        words = [at for at in region if marks[at].whose is Whose.OTHER]  # type: ignore[union-attr]
        bodies = [_body(text, lines[at], marks[at]) for at in words]
        repeated = said.repeated(bodies)
        for at, is_repeated in zip(words, repeated, strict=True):
            if not is_repeated and any(map(str.isalnum, bodies[words.index(at)])):
                marks[at] = None
        if not any(repeated):
            for at in region:
                if marks[at] is not None and marks[at].part is Part.FRAME:  # type: ignore[union-attr]
                    marks[at] = None


def _body(text: str, line: Line, mark: Mark | None) -> str:
    whole = text[line.start : line.end]
    if mark is not None and mark.part is Part.SPEECH:
        return whole[mark.label :]
    return frames.subject_of(whole.strip("\r\n >＞|｜*"))


def _joined(text: str, parts: Iterator[Segment]) -> Iterator[Segment]:
    """Fill gaps with the writer's words and merge neighbours of the same kind."""
    pending: Segment | None = None
    for part in _filled(text, parts):
        if pending is not None and pending[2:] == part[2:]:
            pending = pending._replace(end=part.end)
            continue
        if pending is not None:
            yield pending
        pending = part
    if pending is not None:
        yield pending


def _filled(text: str, parts: Iterator[Segment]) -> Iterator[Segment]:
    at = 0
    for part in parts:
        if part.end <= at or part.start >= part.end:
            continue
        start = max(part.start, at)
        if start > at:
            yield Segment(at, start, Whose.WRITER, Part.TEXT)
        yield Segment(start, part.end, part.whose, part.part)
        at = part.end
    if at < len(text):
        yield Segment(at, len(text), Whose.WRITER, Part.TEXT)

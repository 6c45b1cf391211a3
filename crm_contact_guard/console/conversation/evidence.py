"""Split text at the evidence in it, so that the evidence can be marked. Templates must escape the resulting pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Span:
    """Evidence in a text: offsets in code points, and the number of its reason in the margin."""

    start: int
    end: int
    number: int


@dataclass(frozen=True)
class Piece:
    """A piece of a text. ``numbers``: numbers of the reasons for which it is evidence; empty for ordinary text."""

    text: str
    numbers: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        return " ".join(str(number) for number in self.numbers)


def pieces(text: str, spans: Sequence[Span]) -> list[Piece]:
    """Split a text where evidence begins or ends. For any spans, joining the pieces gives the original text.

    Spans may overlap. Parts of spans outside the text are ignored, since spans may belong to another version of the
    text, such as the one before an erasure.
    """
    inside = [
        Span(max(span.start, 0), min(span.end, len(text)), span.number)
        for span in spans
        if max(span.start, 0) < min(span.end, len(text))
    ]
    borders = sorted({0, len(text), *(span.start for span in inside), *(span.end for span in inside)})
    found: list[Piece] = []
    for start, end in pairwise(borders):
        numbers = tuple(sorted({span.number for span in inside if span.start <= start and end <= span.end}))
        if found and found[-1].numbers == numbers:
            found[-1] = Piece(found[-1].text + text[start:end], numbers)
        else:
            found.append(Piece(text[start:end], numbers))
    return found

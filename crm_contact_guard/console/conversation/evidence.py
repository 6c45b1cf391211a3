"""Marking evidence in place. Pure: text and spans in, pieces of text out; whoever renders them escapes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Span:
    """Evidence in a text: offsets in code points, and the number that its reason bears at the margin."""

    start: int
    end: int
    number: int


@dataclass(frozen=True)
class Piece:
    """A run of text. ``numbers`` are those of the reasons it is evidence of; empty: ordinary text."""

    text: str
    numbers: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        return " ".join(str(number) for number in self.numbers)


def pieces(text: str, spans: Sequence[Span]) -> list[Piece]:
    """Cut a text at the borders of its evidence. The pieces joined are the text, whatever the spans are.

    Spans may overlap; what reaches beyond the text (another version of it, after erasure) is cut off.
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

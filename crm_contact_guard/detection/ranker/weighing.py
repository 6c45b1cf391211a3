"""What a text, or a part of it, weighs: the whole when it is short, overlapping windows when it is long.

Many pieces are weighed stage by stage, all of them in one stage before the next: an automaton's states then lie in the
processor's caches for all pieces, where piece by piece each stage would have driven out the one before. That alone
makes a long text, or many short ones, several times cheaper; the verdicts are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.gates import opened
from crm_contact_guard.detection.identifiers.candidates import Budget
from crm_contact_guard.detection.ranker.features import Evidence, describe, extract, gather, identify, space
from crm_contact_guard.detection.ranker.model import probability, ranker
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.types import Company, Direction

#: Texts up to this length are weighed whole, longer ones in windows of it that overlap.
WINDOW = 600
OVERLAP = 150
#: Pieces weighed together (some 80,000 characters of windows); a text may be of any size.
AT_ONCE = 200
#: Log odds of what is not weighed at all.
_LEAST = -40.0


@dataclass(slots=True)
class Window:
    """A part of the folded text from ``offset``, with what was found and how it weighs (log odds, and as probability)."""

    offset: int
    text: str
    evidence: Evidence
    logit: float
    probability: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a folded text that is to be weighed, who wrote it, and the budget it shares with its text's others."""

    normalised: Normalised
    start: int
    end: int
    direction: Direction
    budget: Budget


def parts(text: str) -> Iterable[tuple[int, int]]:
    """The text itself, or overlapping windows of it, cut where a sentence or word ends if one does nearby."""
    return ((0, len(text)),) if len(text) <= WINDOW else _windows(text)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        end = min(len(text), start + WINDOW)
        if end < len(text):
            for mark in ("\n", "。", ". ", " "):
                cut = text.rfind(mark, start + WINDOW - OVERLAP, end)
                if cut > 0:
                    end = cut + len(mark)
                    break
        yield start, end
        if end >= len(text):
            return
        start = end - OVERLAP


def weigh_text(normalised: Normalised, direction: Direction, company: Company, budget: Budget) -> list[Window]:
    """All windows of a text, weighed."""
    text = normalised.text
    if len(text) <= WINDOW:
        return [weigh(normalised, 0, len(text), direction, company, budget)]
    windows: list[Window] = []
    left = iter(parts(text))
    while spans := list(islice(left, AT_ONCE)):
        first = spans[0][0]
        pieces = [Piece(normalised, start, end, direction, budget) for start, end in spans]
        stretch = text[first : spans[-1][1]]
        windows += weigh_each(pieces, stretch, [(start - first, end - first) for start, end in spans], company)
    return windows


def weigh_texts(texts: Sequence[tuple[Normalised, Direction]], company: Company) -> list[tuple[Window, Budget]]:
    """Each text, none longer than ``WINDOW``, weighed by itself; and what is left of its budget."""
    weighed: list[tuple[Window, Budget]] = []
    for first in range(0, len(texts), AT_ONCE):
        pieces = [
            Piece(normalised, 0, len(normalised.text), side, Budget())
            for normalised, side in texts[first : first + AT_ONCE]
        ]
        ends = list(accumulate(piece.end + 1 for piece in pieces))
        joined = "\n".join(piece.normalised.text for piece in pieces)
        spans = [(end - piece.end - 1, end - 1) for piece, end in zip(pieces, ends, strict=True)]
        windows = weigh_each(pieces, joined, spans, company)
        weighed += [(window, piece.budget) for window, piece in zip(windows, pieces, strict=True)]
    return weighed


def weigh_each(pieces: Sequence[Piece], text: str, spans: Sequence[tuple[int, int]], company: Company) -> list[Window]:
    """Each piece weighed as by ``weigh``. ``text`` holds them all, each at its span, in ascending order."""
    texts = [text[start:end] for start, end in spans]
    words = lexicon().seek_each(text, spans)
    grams = ranker().grams_of(text, spans)
    gates = list(map(opened, texts))
    evidence = list(map(gather, words, gates))
    for piece, part, found in zip(pieces, texts, evidence, strict=True):
        identify(found, part, company, piece.budget)
    for piece, part, found in zip(pieces, texts, evidence, strict=True):
        describe(found, piece.normalised, piece.start, part, piece.direction)
    return [
        _weighed(piece.normalised, piece.start, part, found, weight)
        for piece, part, found, weight in zip(pieces, texts, evidence, grams, strict=True)
    ]


def weigh(
    normalised: Normalised, start: int, end: int, direction: Direction, company: Company, budget: Budget | None = None
) -> Window:
    """Evidence and probability of one window."""
    found = extract(normalised, start, end, direction, company, budget)
    whole = normalised.text
    return _weighed(normalised, start, whole if end - start == len(whole) else whole[start:end], found)


def weigh_part(
    normalised: Normalised, window: Window, start: int, end: int, direction: Direction, company: Company
) -> Window:
    """Evidence and probability of whole sentences (``start``–``end`` of the folded text) of a window.

    The words are taken over: at the ends of a sentence stand signs and spaces, which are borders of words and close no
    denial. For the same reason no gate opens that was closed for the window.
    """
    around = window.evidence
    first, last = start - window.offset, end - window.offset
    text = normalised.text[start:end]
    if around.complete:
        hits = [(hit, low - first, high - first) for hit, low, high in around.hits if first <= low and high <= last]
    else:
        hits = lexicon().hits(text)
    found = gather((hits, around.complete), opened(text) if around.gates else around.gates)
    identify(found, text, company, Budget(plans=2))
    describe(found, normalised, start, text, direction)
    return _weighed(normalised, start, text, found)


def _weighed(normalised: Normalised, start: int, text: str, found: Evidence, grams: float | None = None) -> Window:
    if not found.candidates and len(normalised.text) > WINDOW and len(found.concepts & space().topics) < 2:
        return Window(start, text, found, _LEAST, 0.0)  # a part of a long text that does not touch the matter
    logit = ranker().logit(text, found.active, grams)
    return Window(start, text, found, logit, probability(logit))

"""Applies the ranker to a text: to the whole text if it is short, to overlapping windows if it is long.

When there are many pieces, each stage processes all of them before the next stage begins. The states of each automaton
then stay in the processor's caches instead of being evicted by the next stage. This makes a long text, or a batch of
short ones, several times cheaper. The verdicts are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.gates import opened
from crm_contact_guard.detection.identifiers.candidates import Budget
from crm_contact_guard.detection.ranker.describing import Evidence, describe, extract, gather, identify
from crm_contact_guard.detection.ranker.features import space
from crm_contact_guard.detection.ranker.model import probability, ranker
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.types import Company, Direction

#: Text of up to this many characters is processed as a whole, longer text in overlapping windows of this size.
WINDOW = 600
OVERLAP = 150
#: How many pieces are processed together (about 80,000 characters if they are windows).
AT_ONCE = 200
#: Log odds of a window that the ranker skips.
_LEAST = -40.0


@dataclass(slots=True)
class Window:
    """A part of the folded text that begins at ``offset``, its evidence, and its score as log odds and probability."""

    offset: int
    text: str
    evidence: Evidence
    logit: float
    probability: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a folded text to be scored, its direction, and the budget shared by all parts of the text."""

    normalised: Normalised
    start: int
    end: int
    direction: Direction
    budget: Budget


def parts(text: str) -> Iterable[tuple[int, int]]:
    """Return the span of the whole text, or those of overlapping windows, cut after a sentence or word if possible."""
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
    """Return the scored windows of a text."""
    text = normalised.text
    if len(text) <= WINDOW:
        return [weigh(normalised, 0, len(text), direction, company, budget)]
    windows: list[Window] = []
    remaining = iter(parts(text))
    while spans := list(islice(remaining, AT_ONCE)):
        first = spans[0][0]
        pieces = [Piece(normalised, start, end, direction, budget) for start, end in spans]
        stretch = text[first : spans[-1][1]]
        windows += weigh_each(pieces, stretch, [(start - first, end - first) for start, end in spans], company)
    return windows


def weigh_texts(texts: Sequence[tuple[Normalised, Direction]], company: Company) -> list[tuple[Window, Budget]]:
    """Score each text on its own. Return the window of each, and its budget after scoring.

    No text may be longer than ``WINDOW``.
    """
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
    """Score each piece as ``weigh`` does. ``text`` contains all pieces at their ``spans``, in ascending order."""
    texts = [text[start:end] for start, end in spans]
    words = lexicon().seek_each(text, spans)
    grams = ranker().grams_of(text, spans)
    gates = list(map(opened, texts))
    evidence = list(map(gather, words, gates))
    for piece, part, item in zip(pieces, texts, evidence, strict=True):
        identify(item, part, company, piece.budget)
    for piece, part, item in zip(pieces, texts, evidence, strict=True):
        describe(item, piece.normalised, piece.start, part, piece.direction)
    return [
        _weighed(piece.normalised, piece.start, part, item, weight)
        for piece, part, item, weight in zip(pieces, texts, evidence, grams, strict=True)
    ]


def weigh(
    normalised: Normalised, start: int, end: int, direction: Direction, company: Company, budget: Budget | None = None
) -> Window:
    """Collect the evidence of one window and score it."""
    evidence = extract(normalised, start, end, direction, company, budget)
    whole = normalised.text
    return _weighed(normalised, start, whole if end - start == len(whole) else whole[start:end], evidence)


def weigh_part(
    normalised: Normalised, window: Window, start: int, end: int, direction: Direction, company: Company
) -> Window:
    """Score whole sentences of a window on their own. ``start`` and ``end`` are offsets into the folded text.

    The words found in the window are reused. This is safe because sentences end at punctuation or spaces, which are
    word boundaries and don't complete a negation. For the same reason, a gate that was closed for the window stays
    closed.
    """
    whole = window.evidence
    first, last = start - window.offset, end - window.offset
    text = normalised.text[start:end]
    if whole.complete:
        hits = [(hit, low - first, high - first) for hit, low, high in whole.hits if first <= low and high <= last]
    else:
        hits = lexicon().hits(text)
    evidence = gather((hits, whole.complete), opened(text) if whole.gates else whole.gates)
    identify(evidence, text, company, Budget(plans=2))
    describe(evidence, normalised, start, text, direction)
    return _weighed(normalised, start, text, evidence)


def _weighed(normalised: Normalised, start: int, text: str, evidence: Evidence, grams: float | None = None) -> Window:
    if not evidence.candidates and len(normalised.text) > WINDOW and len(evidence.concepts & space().topics) < 2:
        return Window(start, text, evidence, _LEAST, 0.0)  # a part of a long text without any relevant words
    logit = ranker().logit(text, evidence.active, grams)
    return Window(start, text, evidence, logit, probability(logit))

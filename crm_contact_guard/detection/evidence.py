"""Turns scored evidence into findings with spans, kinds and a stance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.concepts.patterns import patterns, version
from crm_contact_guard.detection.ranker.describing import Evidence
from crm_contact_guard.detection.ranker.features import REACHABLE, space
from crm_contact_guard.detection.ranker.model import ranker
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.detection.types import Finding, Kind, Stance

if TYPE_CHECKING:
    from crm_contact_guard.detection.ranker.weighing import Window

#: The concepts that indicate each kind if there is no identifier.
_KINDS = (
    (Kind.PRIVATE_MEETING, ("meet", "alone", "home")),
    (Kind.SIDE_DEAL, ("bypass",)),
    (
        Kind.CONTACT_REQUEST,
        ("messenger", "social", "phone", "email", "contact", "exchange", "reach_me", "reach_you", "qr", "elsewhere"),
    ),
)
#: Kinds that are an attempt.
ATTEMPT_KINDS = frozenset({Kind.CONTACT_IDENTIFIER, Kind.CONTACT_REQUEST, Kind.PRIVATE_MEETING, Kind.SIDE_DEAL})
#: Concepts whose words mark the sentence shown as evidence.
_TELLING = (
    "messenger",
    "social",
    "private",
    "exchange",
    "reach_me",
    "reach_you",
    "elsewhere",
    "secret",
    "bypass",
    "meet",
    "alone",
    "offwork",
    "leaving",
    "home",
    "qr",
    "contact",
    "phone",
    "email",
)


#: Candidates shown as evidence: those by which a person can be reached, and those that may be part of an attempt.
_SHOWN = REACHABLE | {"handle:token", "phone:other"}


def findings(normalised: Normalised, offset: int, text: str, evidence: Evidence, score: float) -> Iterator[Finding]:
    """Yield the findings in a window that is an attempt: identifiers and patterns, or the most relevant sentence."""
    weights = ranker().version
    has_identifier = False
    score = round(score, 4)
    for candidate in evidence.candidates:
        if f"{candidate.sort}:{candidate.shape}" in _SHOWN:
            start, end = normalised.span(offset + candidate.start, offset + candidate.end)
            yield Finding(
                Kind.CONTACT_IDENTIFIER, start, end, score, candidate.sort, weights, technique=candidate.technique
            )
            has_identifier = True
    has_pattern = False
    for number, first, last in evidence.patterns:
        pattern = patterns()[number]
        if has_identifier and pattern.kind is Kind.CONTACT_REQUEST:
            continue
        start, end = normalised.span(offset + first, offset + last)
        yield Finding(pattern.kind, start, end, score, pattern.id, version())
        has_pattern = True
    if has_pattern:
        return
    kind = _kind(evidence)
    if not has_identifier or kind is not Kind.CONTACT_REQUEST:
        start, end = clause(text, evidence)
        start, end = normalised.span(offset + start, offset + end)
        yield Finding(kind, start, end, score, "ranker", weights)


def _kind(evidence: Evidence) -> Kind:
    weights, inbound = ranker().dense, space().inbound
    best, highest = Kind.CONTACT_REQUEST, 0.0
    for kind, concepts in _concepts().kinds:
        total = 0.0
        for concept in concepts & evidence.concepts:
            total += max(0.0, weights[concept] + weights[concept + inbound])
        if total > highest:
            best, highest = kind, total
    return best


def clause(text: str, evidence: Evidence) -> tuple[int, int]:
    """Return the span of the sentence with the most relevant words."""
    sentences = list(sentences_of(text))
    if len(sentences) < 2:
        return sentences[0] if sentences else (0, len(text))
    relevant = _concepts().telling
    marks = [(hit, start) for hit, start, _ in evidence.hits if hit in relevant]
    return max(sentences, key=lambda span: len({hit for hit, start in marks if span[0] <= start < span[1]}))


def floods(normalised: Normalised, windows: Iterable[Window]) -> Iterator[Finding]:
    """Yield a finding for a message with an implausible number of numbers, which may hide a phone number."""
    for window in windows:
        for candidate in window.evidence.candidates:
            if candidate.shape == "flood":
                start, end = normalised.span(window.offset + candidate.start, window.offset + candidate.end)
                yield Finding(
                    Kind.CONTACT_IDENTIFIER, start, end, 0.5, "phone.flood", ranker().version, technique="flood"
                )
                return


def stance(evidence: Evidence, *, attempt: bool) -> Stance:
    """Return the stance: offer, ask or accept for an attempt.

    For other text, return refuse or report if it has words for that and for the subject, and none otherwise.
    """
    numbers, hit = _concepts(), evidence.concepts
    if attempt:
        if any(f"{c.sort}:{c.shape}" in REACHABLE for c in evidence.candidates) or (
            numbers.offer in hit and numbers.ask not in hit
        ):
            return Stance.OFFER
        if numbers.accept in hit and numbers.ask not in hit and numbers.offer not in hit:
            return Stance.ACCEPT
        return Stance.ASK
    if numbers.refuse in hit:
        return Stance.NONE if numbers.subject.isdisjoint(hit) else Stance.REFUSE
    if numbers.report in hit and not numbers.subject.isdisjoint(hit) and not numbers.reported.isdisjoint(hit):
        return Stance.REPORT
    return Stance.NONE


def refuses(evidence: Evidence) -> bool:
    """Whether a text contains words of refusal, whatever they refuse."""
    return _concepts().refuse in evidence.concepts


class _Concepts:
    """Numbers of the concepts that this module uses."""

    def __init__(self) -> None:
        index = lexicon().index
        self.kinds = tuple((kind, frozenset(index[name] for name in names)) for kind, names in _KINDS)
        self.telling = frozenset(index[name] for name in _TELLING)
        self.offer, self.ask, self.accept = index["offer"], index["ask"], index["accept"]
        self.refuse, self.report = index["refuse"], index["report"]
        #: Concepts of which a refusal or report must mention one, and those of which a report must mention one as well.
        self.subject = frozenset(
            index[name] for name in ("messenger", "social", "private", "meet", "bypass", "reach_you", "exchange")
        )
        self.reported = frozenset(index[name] for name in ("secret", "private", "exchange"))


@lru_cache(maxsize=1)
def _concepts() -> _Concepts:
    return _Concepts()

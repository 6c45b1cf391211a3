"""From weighed evidence to findings with spans, kinds and a stance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.concepts.patterns import patterns, version
from crm_contact_guard.detection.ranker.features import REACHABLE, Evidence, space
from crm_contact_guard.detection.ranker.model import ranker
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.detection.types import Finding, Kind, Stance

if TYPE_CHECKING:
    from crm_contact_guard.detection.ranker.weighing import Window

#: Which concepts speak for which kind when no identifier is there.
_KINDS = (
    (Kind.PRIVATE_MEETING, ("meet", "alone", "home")),
    (Kind.SIDE_DEAL, ("bypass",)),
    (
        Kind.CONTACT_REQUEST,
        ("messenger", "social", "phone", "email", "contact", "exchange", "reach_me", "reach_you", "qr", "elsewhere"),
    ),
)
#: Kinds that support an attempt.
ATTEMPT_KINDS = frozenset({Kind.CONTACT_IDENTIFIER, Kind.CONTACT_REQUEST, Kind.PRIVATE_MEETING, Kind.SIDE_DEAL})
#: Concepts whose words are shown as evidence of a request.
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


#: Candidates shown as evidence: what reaches somebody, and what may in an attempt.
_SHOWN = REACHABLE | {"handle:token", "phone:other"}


def findings(normalised: Normalised, offset: int, text: str, found: Evidence, score: float) -> Iterator[Finding]:
    """What supports an attempt in one window: each reachable identifier, else the clause that proposes it."""
    weights = ranker().version
    shown = False
    score = round(score, 4)
    for candidate in found.candidates:
        if f"{candidate.sort}:{candidate.shape}" in _SHOWN:
            start, end = normalised.span(offset + candidate.start, offset + candidate.end)
            yield Finding(
                Kind.CONTACT_IDENTIFIER, start, end, score, candidate.sort, weights, technique=candidate.technique
            )
            shown = True
    told = False
    for number, first, last in found.patterns:
        pattern = patterns()[number]
        if shown and pattern.kind is Kind.CONTACT_REQUEST:
            continue
        start, end = normalised.span(offset + first, offset + last)
        yield Finding(pattern.kind, start, end, score, pattern.id, version())
        told = True
    if told:
        return
    kind = _kind(found)
    if not shown or kind is not Kind.CONTACT_REQUEST:
        start, end = clause(text, found)
        start, end = normalised.span(offset + start, offset + end)
        yield Finding(kind, start, end, score, "ranker", weights)


def _kind(found: Evidence) -> Kind:
    weights, inbound = ranker().dense, space().inbound
    best, most = Kind.CONTACT_REQUEST, 0.0
    for kind, concepts in _concepts().kinds:
        total = 0.0
        for concept in concepts & found.concepts:
            total += max(0.0, weights[concept] + weights[concept + inbound])
        if total > most:
            best, most = kind, total
    return best


def clause(text: str, found: Evidence) -> tuple[int, int]:
    """The sentence in which most telling words stand."""
    sentences = list(sentences_of(text))
    if len(sentences) < 2:
        return sentences[0] if sentences else (0, len(text))
    telling = _concepts().telling
    marks = [(hit, start) for hit, start, _ in found.hits if hit in telling]
    return max(sentences, key=lambda span: len({hit for hit, start in marks if span[0] <= start < span[1]}))


def floods(normalised: Normalised, windows: Iterable[Window]) -> Iterator[Finding]:
    """A message with more numbers than anybody writes was made to hide one."""
    for window in windows:
        for candidate in window.evidence.candidates:
            if candidate.shape == "flood":
                start, end = normalised.span(window.offset + candidate.start, window.offset + candidate.end)
                yield Finding(
                    Kind.CONTACT_IDENTIFIER, start, end, 0.5, "phone.flood", ranker().version, technique="flood"
                )
                return


def stance(found: Evidence, *, attempt: bool) -> Stance:
    """Offer, ask or accept of an attempt; refuse or report where the words for it stand beside the subject."""
    named, hit = _concepts(), found.concepts
    if attempt:
        if any(f"{c.sort}:{c.shape}" in REACHABLE for c in found.candidates) or (
            named.offer in hit and named.ask not in hit
        ):
            return Stance.OFFER
        if named.accept in hit and named.ask not in hit and named.offer not in hit:
            return Stance.ACCEPT
        return Stance.ASK
    if named.refuse in hit:
        return Stance.NONE if named.subject.isdisjoint(hit) else Stance.REFUSE
    if named.report in hit and not named.subject.isdisjoint(hit) and not named.told.isdisjoint(hit):
        return Stance.REPORT
    return Stance.NONE


def refuses(found: Evidence) -> bool:
    """Whether words that decline stand in a text, whatever they decline."""
    return _concepts().refuse in found.concepts


class _Concepts:
    """Numbers of the concepts that are named here."""

    def __init__(self) -> None:
        index = lexicon().index
        self.kinds = tuple((kind, frozenset(index[name] for name in names)) for kind, names in _KINDS)
        self.telling = frozenset(index[name] for name in _TELLING)
        self.offer, self.ask, self.accept = index["offer"], index["ask"], index["accept"]
        self.refuse, self.report = index["refuse"], index["report"]
        #: What a refusal or report is about, and what must stand in a report for it to be about this matter.
        self.subject = frozenset(
            index[name] for name in ("messenger", "social", "private", "meet", "bypass", "reach_you", "exchange")
        )
        self.told = frozenset(index[name] for name in ("secret", "private", "exchange"))


@lru_cache(maxsize=1)
def _concepts() -> _Concepts:
    return _Concepts()

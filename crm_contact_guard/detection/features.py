"""What the ranker is told about a text: concepts, candidates, and what stands near the candidates."""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.detection import candidates as cand
from crm_contact_guard.detection.identifiers import Candidate
from crm_contact_guard.detection.lexicon import Lexicon, lexicon
from crm_contact_guard.detection.normalise import Normalised
from crm_contact_guard.detection.own_contacts import own_contacts
from crm_contact_guard.detection.patterns import matches, patterns
from crm_contact_guard.detection.types import Company, Direction

SHAPES = (
    "phone:international", "phone:freephone", "phone:jp_mobile", "phone:jp_ip", "phone:uk_mobile", "phone:kr_mobile", "phone:asia_mobile", "phone:landline",
    "phone:nanp", "phone:cn_or_nanp", "phone:local", "phone:other", "phone:code", "phone:goroawase", "phone:flood",
    "email:free", "email:company", "email:spelled", "email:other", "email:hint",
    "link:line", "link:line_official", "link:whatsapp", "link:telegram", "link:profile", "link:invite",
    "handle:at", "handle:token", "address:ja", "address:en", "payment:payment", "payment:handle", "hint:computed",
)  # fmt: skip
#: Shapes that are a way to reach somebody, in contrast to codes and company addresses.
REACHABLE = frozenset(SHAPES) - {
    "phone:code",
    "phone:other",
    "phone:freephone",
    "phone:flood",
    "email:company",
    "link:line_official",
    "handle:token",
}
NEAR = (
    "private",
    "reference",
    "official",
    "form",
    "messenger",
    "social",
    "phone",
    "email",
    "contact",
    "reach_me",
    "exchange",
    "first",
    "second",
    "secret",
    "refuse",
    "report",
    "home",
    "disguise",
    "bypass",
)
EXTRA = (
    "inbound", "reachable", "disguised", "styled", "many_candidates", "question", "length<40", "length>140",
    "handle_of_messenger", "handle_of_social", "identifier_of_mine", "identifier_private", "identifier_for_form", "identifier_of_company", "identifier_labelled",
    "identifier_to_reach", "identifier_refused", "identifier_secret", "own_contact", "topics=0", "topics=1", "topics=2", "topics>3",
)  # fmt: skip
#: Concepts without which hardly anything is an attempt; how many of them are touched is a feature.
TOPICS = (
    "messenger", "social", "phone", "email", "contact", "private", "reach_me", "reach_you", "elsewhere", "bypass", "meet", "home", "qr", "secret",
    "offwork", "leaving", "alone", "exchange", "freemail", "payment", "gift",
)  # fmt: skip
BEFORE, AFTER = 28, 18


@dataclass(slots=True)
class Evidence:
    """Words of concepts (concept, start, end), the concepts hit, candidates, and the indexes of the features that hold,
    and the patterns (number, start, end of the sentence)."""

    hits: list[tuple[int, int, int]]
    concepts: set[int]
    candidates: list[Candidate]
    active: list[int]
    patterns: list[tuple[int, int, int]]


class FeatureSpace:
    """Names and numbers of the features; concepts first, so that a concept's index is its feature."""

    def __init__(self, words: Lexicon) -> None:
        concepts = words.concepts
        self.names = (
            list(concepts)
            + [f"in:{name}" for name in concepts]
            + list(SHAPES)
            + [f"near:{name}" for name in NEAR]
            + list(EXTRA)
            + [f"pattern:{pattern.id}" for pattern in patterns()]
        )
        self.index = {name: number for number, name in enumerate(self.names)}
        self.inbound = len(concepts)
        self.patterns = len(self.names) - len(patterns())
        self.near = {words.index[name]: self.index[f"near:{name}"] for name in NEAR}
        self.disguise = words.index["disguise"]
        self.topics = frozenset(words.index[name] for name in TOPICS)
        self.counts = [self.index[name] for name in ("topics=0", "topics=1", "topics=2")]
        self.many = self.index["topics>3"]


_space: list[FeatureSpace] = []


def space() -> FeatureSpace:
    """The feature space of the shipped packs."""
    if not _space:
        _space.append(FeatureSpace(lexicon()))
    return _space[0]


def extract(
    normalised: Normalised,
    start: int,
    end: int,
    direction: Direction,
    company: Company,
    budget: cand.Budget | None = None,
) -> Evidence:
    """Evidence of one window (``start``–``end`` of the folded text); windows of one message share a ``budget``."""
    text = normalised.text if start == 0 and end == len(normalised.text) else normalised.text[start:end]
    words, features = lexicon(), space()
    hits = words.hits(text)
    concepts = {hit[0] for hit in hits}
    active = set(concepts)
    index = features.index
    if direction is Direction.INBOUND:
        active.add(index["inbound"])
        inbound = features.inbound
        active.update([concept + inbound for concept in concepts])
    found: list[Candidate] = []
    gates = words.gates(text)
    if gates:
        found = cand.find(text, gates, company, budget or cand.Budget(), reverse=features.disguise in concepts)
        own = own_contacts(company) if found else None
        if own is not None:
            found = own.mark(found)
        if found:
            _describe(normalised, start, hits, found, active, words, features)
    touched = len(concepts & features.topics)
    if touched < 3:
        if touched or not found:
            active.add(features.counts[touched])
    elif touched > 3:
        active.add(features.many)
    held = list(matches(text, hits, concepts))
    active.update([features.patterns + number for number, _, _ in held])
    if "?" in text or "？" in text:
        active.add(index["question"])
    length = len(text)
    if length < 40:
        active.add(index["length<40"])
    elif length > 140:
        active.add(index["length>140"])
    return Evidence(hits, concepts, found, list(active), held)


def _describe(
    normalised: Normalised,
    offset: int,
    hits: list[tuple[int, int, int]],
    found: list[Candidate],
    active: set[int],
    words: Lexicon,
    features: FeatureSpace,
) -> None:
    """Add what the candidates are and what stands around them."""
    index, concept = features.index, words.index
    if len(found) > 2:
        active.add(index["many_candidates"])
    for candidate in found[:8]:
        if candidate.shape == "own":
            active.add(index["own_contact"])
            continue
        name = f"{candidate.sort}:{candidate.shape}"
        active.add(index[name])
        reachable = name in REACHABLE
        if reachable:
            active.add(index["reachable"])
            if candidate.technique not in ("plain", "provider"):
                active.add(index["disguised"])
            low, high = normalised.span(offset + candidate.start, offset + candidate.end)
            if high - low != candidate.end - candidate.start or not _plain(normalised.original[low:high]):
                active.add(index["styled"])
        first, last = candidate.start - BEFORE, candidate.end + AFTER
        near = {
            hit
            for hit, start, end in hits
            if first <= start and end <= last and (end <= candidate.start or start >= candidate.end)
        }
        for owner in near:
            feature = features.near.get(owner)
            if feature is not None:
                active.add(feature)
        if candidate.sort == "handle":
            if concept["messenger"] in near:
                active.add(index["handle_of_messenger"])
            if concept["social"] in near:
                active.add(index["handle_of_social"])
        if reachable or candidate.sort == "handle":
            for name, meaning in _MEANINGS:
                if concept[name] in near:
                    active.add(index[meaning])


#: What a concept near an identifier says about it.
_MEANINGS = (
    ("first", "identifier_of_mine"),
    ("private", "identifier_private"),
    ("form", "identifier_for_form"),
    ("official", "identifier_of_company"),
    ("reference", "identifier_labelled"),
    ("reach_me", "identifier_to_reach"),
    ("refuse", "identifier_refused"),
    ("secret", "identifier_secret"),
)


def _plain(written: str) -> bool:
    """Whether an identifier is written without tricks (full-width and kanji are everyday Japanese)."""
    return all(
        (character < "\u2000" and (character.isascii() or character.isalpha())) or "\u3000" <= character < "\uffef"
        for character in written
    )

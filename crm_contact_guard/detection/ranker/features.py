"""Features of a text for the ranker: concepts, candidates, and the concepts near the candidates."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import combinations

from crm_contact_guard.detection.concepts.lexicon import Found, Lexicon, lexicon
from crm_contact_guard.detection.concepts.patterns import matches, patterns
from crm_contact_guard.detection.gates import IDENTIFIERS, opened
from crm_contact_guard.detection.identifiers import candidates as cand
from crm_contact_guard.detection.identifiers.families import Candidate
from crm_contact_guard.detection.identifiers.own_contacts import own_contacts
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.text.sentences import clause_ends
from crm_contact_guard.detection.types import Company, Direction

SHAPES = (
    "phone:international", "phone:freephone", "phone:jp_mobile", "phone:jp_ip", "phone:uk_mobile", "phone:kr_mobile", "phone:asia_mobile", "phone:landline",
    "phone:nanp", "phone:cn_or_nanp", "phone:local", "phone:other", "phone:code", "phone:goroawase", "phone:flood",
    "email:free", "email:company", "email:spelled", "email:other", "email:hint",
    "link:line", "link:line_official", "link:whatsapp", "link:telegram", "link:profile", "link:invite",
    "handle:at", "handle:token", "address:ja", "address:en", "payment:payment", "payment:handle", "hint:computed",
)  # fmt: skip
#: Shapes by which a person can be reached, unlike codes and company addresses.
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
    "plainly",
)  # fmt: skip
#: Sorts of candidates.
SORTS = ("phone", "email", "link", "handle", "address", "payment", "hint")
#: Concepts that occur in nearly every attempt. How many of them a text contains is a feature.
TOPICS = (
    "messenger", "social", "phone", "email", "contact", "private", "reach_me", "reach_you", "elsewhere", "bypass", "meet", "home", "qr", "secret",
    "offwork", "leaving", "alone", "exchange", "freemail", "payment", "gift",
)  # fmt: skip
BEFORE, AFTER = 28, 18
#: Concepts for the feature ``plainly``, which marks a short text that asks for or offers a messenger, network, private
#: number or address, and contains neither the company's context nor a negation. Such a text has too few words for their
#: individual weights to add up. Mentioning a number is not enough, since front desks ask for phone numbers, including
#: mobile numbers, all day. A customer who asks for a mobile number, however, means an employee's own.
NETWORKS = ("messenger", "social", "qr")
NUMBERS = ("phone", "email", "contact")
WISHES = ("exchange", "ask", "reach_me", "reach_you", "offer")
EXCUSES = ("official", "form", "refuse", "report", "rule", "benign_line")


#: The feature for each concept that has a special meaning near an identifier.
_MEANINGS = {
    "first": "identifier_of_mine",
    "private": "identifier_private",
    "form": "identifier_for_form",
    "official": "identifier_of_company",
    "reference": "identifier_labelled",
    "reach_me": "identifier_to_reach",
    "refuse": "identifier_refused",
    "secret": "identifier_secret",
}
#: The feature for each concept that has a special meaning near a handle.
_HANDLE_MEANINGS = {"messenger": "handle_of_messenger", "social": "handle_of_social"}


@dataclass(slots=True)
class Evidence:
    """The evidence in a window.

    * ``hits``: the words found, as (concept, start, end), and ``concepts``: their concepts.
    * ``active``: the indexes of the active features.
    * ``patterns``: the matching patterns, as (number, start of the sentence, end of the sentence).
    * ``gates``: the gates that opened.
    * ``complete``: whether ``hits`` holds all words.
    """

    hits: list[Found]
    concepts: set[int]
    candidates: list[Candidate]
    active: list[int]
    patterns: list[tuple[int, int, int]]
    gates: set[int]
    complete: bool


class FeatureSpace:
    """Names and indexes of the features. Concepts come first, so a concept's number is also its feature's index."""

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
        self.patterns = len(self.names) - len(patterns())
        #: The feature for two concepts or candidates in one clause is ``together[first] + second``, with first <
        #: second. Candidates are numbered after the concepts, by sort.
        self.pairs = len(self.names)
        parts = [*concepts, *SORTS]
        self.together = [
            self.pairs + first * (2 * len(parts) - first - 1) // 2 - first - 1 for first in range(len(parts))
        ]
        self.names += [f"{first}+{second}" for first, second in combinations(parts, 2)]
        self.sorts = {sort: len(concepts) + number for number, sort in enumerate(SORTS)}
        self.index = {name: number for number, name in enumerate(self.names)}
        #: Offset from a concept to its feature for inbound messages.
        self.inbound = len(concepts)
        #: These map a concept to its feature for appearing near an identifier or near a handle.
        self.near = {words.index[name]: self.index[f"near:{name}"] for name in NEAR}
        self.meanings = {words.index[name]: self.index[meaning] for name, meaning in _MEANINGS.items()}
        self.handle_meanings = {words.index[name]: self.index[meaning] for name, meaning in _HANDLE_MEANINGS.items()}
        #: Concepts that have a feature for appearing near an identifier.
        self.speaking = frozenset({*self.near, *self.meanings, *self.handle_meanings})
        self.disguise = words.index["disguise"]
        self.topics = frozenset(words.index[name] for name in TOPICS)
        self.topic_counts = [self.index[name] for name in ("topics=0", "topics=1", "topics=2")]
        self.many_topics = self.index["topics>3"]
        self.by_customer, self.question = self.index["inbound"], self.index["question"]
        self.short, self.long = self.index["length<40"], self.index["length>140"]
        self.plainly, self.reference = self.index["plainly"], words.index["reference"]
        self.private, self.mobile = words.index["private"], words.index["mobile"]
        self.networks, self.numbers, self.wishes, self.excuses = (
            frozenset(words.index[name] for name in names) for names in (NETWORKS, NUMBERS, WISHES, EXCUSES)
        )


_space: list[FeatureSpace] = []


def space() -> FeatureSpace:
    """Return the feature space of the shipped packs."""
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
    """Return the evidence in one window, from ``start`` to ``end`` of the folded text.

    The windows of one message share a ``budget``.
    """
    text = normalised.text
    if start or end != len(text):
        text = text[start:end]
    evidence = gather(lexicon().seek(text), opened(text))
    identify(evidence, text, company, budget or cand.Budget())
    describe(evidence, normalised, start, text, direction)
    return evidence


def gather(words: tuple[list[Found], bool], gates: set[int]) -> Evidence:
    """Return evidence with only the words (see ``Lexicon.seek``) and gates filled in."""
    hits, complete = words
    return Evidence(hits, {hit[0] for hit in hits}, [], [], [], gates, complete)


def identify(evidence: Evidence, text: str, company: Company, budget: cand.Budget) -> None:
    """Add the candidates. The evidence must already have words and gates."""
    if IDENTIFIERS.isdisjoint(evidence.gates):
        return
    candidates = cand.find(text, evidence.gates, company, budget, reverse=space().disguise in evidence.concepts)
    if candidates:
        own = own_contacts(company)
        evidence.candidates = candidates if own is None else own.mark(candidates)


def describe(evidence: Evidence, normalised: Normalised, start: int, text: str, direction: Direction) -> None:
    """Add patterns and features. The evidence must already have words and candidates. ``text`` begins at ``start``."""
    features, hits, concepts, candidates = space(), evidence.hits, evidence.concepts, evidence.candidates
    active = evidence.active
    active += concepts
    if direction is Direction.INBOUND:
        inbound = features.inbound
        active += [concept + inbound for concept in concepts]
        active.append(features.by_customer)
    if candidates:
        active += _described(normalised, start, hits, candidates, features)
    topic_count = len(concepts & features.topics)
    if topic_count < 3:
        if topic_count or not candidates:
            active.append(features.topic_counts[topic_count])
    elif topic_count > 3:
        active.append(features.many_topics)
    evidence.patterns = matched = matches(text, hits, concepts)
    for number, _, _ in matched:
        active.append(features.patterns + number)
    active += _together(text, hits, candidates, features)
    if "?" in text or "？" in text:
        active.append(features.question)
    length = len(text)
    if length < 40:
        active.append(features.short)
        if not candidates and _plainly(concepts, direction, features):
            active.append(features.plainly)
    elif length > 140:
        active.append(features.long)


def _plainly(concepts: set[int], direction: Direction, features: FeatureSpace) -> bool:
    """Whether a short text without an identifier plainly asks for or offers a network or a private number.

    A concept in ``EXCUSES`` rules that out. So does a reference such as "ID" or "code", except next to a messenger or
    network, because it may then belong to that rather than to an order.
    """
    if concepts.isdisjoint(features.wishes) or not concepts.isdisjoint(features.excuses):
        return False
    if not concepts.isdisjoint(features.networks):
        return True
    if features.reference in concepts or concepts.isdisjoint(features.numbers):
        return False
    return features.private in concepts or (direction is Direction.INBOUND and features.mobile in concepts)


def _together(text: str, hits: list[Found], candidates: list[Candidate], features: FeatureSpace) -> set[int]:
    """Return the features of pairs within one clause. The negation, request or offer is usually in the same clause."""
    active: set[int] = set()
    if len(hits) + len(candidates) < 2:
        return active
    ends = clause_ends(text)
    clauses: dict[int, set[int]] = {}
    for concept, start, _ in hits:
        clause = bisect_right(ends, start)
        if clause in clauses:
            clauses[clause].add(concept)
        else:
            clauses[clause] = {concept}
    for candidate in candidates[:8]:
        if candidate.shape != "own":
            clauses.setdefault(bisect_right(ends, candidate.start), set()).add(features.sorts[candidate.sort])
    together = features.together
    for members in clauses.values():
        if len(members) == 2:
            first, second = members
            active.add(together[first] + second if first < second else together[second] + first)
        elif len(members) > 2:
            active.update([together[first] + second for first, second in combinations(sorted(members), 2)])
    return active


def _described(
    normalised: Normalised, offset: int, hits: list[Found], candidates: list[Candidate], features: FeatureSpace
) -> set[int]:
    """Return the features of the candidates and their context."""
    index, near, meanings = features.index, features.near, features.meanings
    active: set[int] = set()
    if len(candidates) > 2:
        active.add(index["many_candidates"])
    context = [hit for hit in hits if hit[0] in features.speaking]
    for candidate in candidates[:8]:
        sort, shape, first, last, _, technique = candidate
        if shape == "own":
            active.add(index["own_contact"])
            continue
        name, handle = f"{sort}:{shape}", sort == "handle"
        active.add(index[name])
        reachable = name in REACHABLE
        if reachable:
            active.add(index["reachable"])
            if technique not in ("plain", "provider"):
                active.add(index["disguised"])
            low, high = normalised.span(offset + first, offset + last)
            if high - low != last - first or not _plain(normalised.original[low:high]):
                active.add(index["styled"])
        before, after = first - BEFORE, last + AFTER
        for owner, start, end in context:
            if (before <= start and end <= first) or (last <= start and end <= after):
                if owner in near:
                    active.add(near[owner])
                if owner in meanings and (reachable or handle):
                    active.add(meanings[owner])
                if handle and owner in features.handle_meanings:
                    active.add(features.handle_meanings[owner])
    return active


def _plain(written: str) -> bool:
    """Whether an identifier is undisguised. Full-width characters and kanji are normal in Japanese, so they don't count."""
    return written.isascii() or all(
        (character < "\u2000" and (character.isascii() or character.isalpha())) or "\u3000" <= character < "\uffef"
        for character in written
    )

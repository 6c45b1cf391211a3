"""The evidence in a text, and the features that describe it to the ranker."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import combinations

from crm_contact_guard.detection.concepts.lexicon import Found, lexicon
from crm_contact_guard.detection.concepts.patterns import matches
from crm_contact_guard.detection.gates import IDENTIFIERS, opened
from crm_contact_guard.detection.identifiers import candidates as cand
from crm_contact_guard.detection.identifiers.families import Candidate
from crm_contact_guard.detection.identifiers.own_contacts import own_contacts
from crm_contact_guard.detection.ranker.features import REACHABLE, FeatureSpace, space
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.text.sentences import clause_ends
from crm_contact_guard.detection.types import Company, Direction

#: How many characters before and after an identifier count as near it.
BEFORE, AFTER = 28, 18


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

"""Finds harassment of employees by customers (カスハラ), in the categories of the Japanese ministry's manual (MHLW 2022).

Only messages from customers are checked, and a finding is never an attempt. Anger is not harassment: a complaint,
however sharp, a lawful threat (ombudsman, small claims), a symptom, a joke, or a report of what somebody else said does
not give a finding. Hits are independent evidence, and their joint score must reach ``THRESHOLD``. If it doesn't, but
there is at least a hint, the model scores the wording as a whole.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import re2

from crm_contact_guard.detection.harassment.model import model, strongest
from crm_contact_guard.detection.harassment.packs import Packs, Pattern, packs
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

THRESHOLD = 0.5
#: The detector id of findings by the model, which runs only if there is a pattern or hint.
WORDING = "harassment.wording"
#: Log odds subtracted if a text has a single hint (chosen by cross-validation).
LONE = 2.0
#: Text with fewer characters is left to the patterns.
SHORTEST = 13
MAX_FINDINGS = 20
#: How many matches of one pattern are checked, to bound the cost of a text full of quoted hits.
_PLACES = 8
#: Characters around a hit in which its sentence is searched for.
_CONTEXT = 120
_ENDS = "。．!?！？\n"
_END = re.compile(rf"\.(?= |\Z)|[{_ENDS}](?![とっ])")
_OPEN_QUOTES, _CLOSE_QUOTES = "「『“", "」』”"
_EDGES = " \t\n、。,.!?！？;:「」『』\"'"
_SENTENCE = re2.compile(r"[^。．.!?！？\n]{2,80}")
#: A sentence that is repeated this often in one message counts as pressing, whatever it says.
_REPEATS = 4
#: Pressing multiplies the remaining doubt by this factor.
PRESSING = 0.7


class Severity(IntEnum):
    """How urgent a review is: ``HIGH`` means danger to a person, ``LOW`` rudeness."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


SEVERITY = {
    "insult": Severity.LOW,
    "intimidation": Severity.LOW,
    "excessive_demand": Severity.MEDIUM,
    "persistence": Severity.MEDIUM,
    "dogeza": Severity.MEDIUM,
    "discrimination": Severity.MEDIUM,
    "exposure": Severity.HIGH,
    "confinement": Severity.HIGH,
    "sexual": Severity.HIGH,
    "threat": Severity.HIGH,
    "stalking": Severity.HIGH,
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern, its span in the folded text, and its score. The first hit from ``together`` has the joint score."""

    pattern: Pattern
    start: int
    end: int
    score: float


def severity(finding: Finding) -> Severity:
    """Return the severity of a harassment finding, by its category (``finding.technique``)."""
    return SEVERITY[finding.technique]


def find(normalised: Normalised, direction: Direction, company: Company) -> Iterable[Finding]:
    """Return findings of kind ``harassment`` in a customer's message. Their ``technique`` is the category.

    There are none in outbound messages and notes, since employees quote or report there. Takes time linear in the text.
    """
    del company  # the company's contacts have no influence here
    if direction is not Direction.INBOUND:
        return []
    text = normalised.text
    hits = meant(text, packs())
    if not hits:
        return []
    joined = together(hits) or (_nearly(hits) and _repeats(text) and together(hits, pressing=True)) or []
    if joined:
        return sorted(
            (_finding(normalised, hit) for hit in joined[:MAX_FINDINGS]),
            key=lambda finding: (finding.start, finding.end),
        )
    if len(text) < SHORTEST:
        return []
    excess, start, end = strongest(text)
    excess -= lone(hits)
    if excess <= 0:
        return []
    start, end = _trimmed(text, start, end)
    low, high = normalised.span(start, end)
    score = round(1 / (1 + math.exp(-min(excess, 20.0))), 4)
    return [Finding(Kind.HARASSMENT, low, high, score, WORDING, model().version, technique=hits[0].pattern.category)]


def meant(text: str, loaded: Packs) -> list[Hit]:
    """Return the packs' hits in a folded text that are neither quoted nor reported, highest score first.

    They include hints.
    """
    hits: list[Hit] = []
    for index in loaded.matching(text):
        pattern = loaded.patterns[index]
        place = _first_meant(pattern, text)
        if place is not None:
            hits.append(Hit(pattern, *place, pattern.score))
    if len(hits) > 1:
        hits.sort(key=lambda hit: -hit.score)
    return hits


def lone(hits: list[Hit]) -> float:
    """Return the penalty (log odds) for the model if there is only one hint."""
    return LONE if len(hits) == 1 else 0.0


def _nearly(hits: list[Hit]) -> bool:
    """Whether repeated sentences would be decisive. Searching for them costs more than everything else."""
    return math.prod(1 - hit.score for hit in hits) * PRESSING <= 1 - THRESHOLD


def together(hits: list[Hit], *, pressing: bool = False) -> list[Hit]:
    """Return the hits to report, the first with the joint score of all hits.

    The list is empty if the joint score is below the threshold.
    """
    doubt = math.prod(1 - hit.score for hit in hits) * (PRESSING if pressing else 1.0)
    if 1 - doubt < THRESHOLD:
        return []
    joint = dataclasses.replace(hits[0], score=round(1 - doubt, 4))
    return [joint, *(hit for hit in hits[1:] if hit.score >= THRESHOLD)]


def _finding(normalised: Normalised, hit: Hit) -> Finding:
    low, high = normalised.span(hit.start, hit.end)
    pattern = hit.pattern
    return Finding(Kind.HARASSMENT, low, high, hit.score, pattern.id, pattern.version, technique=pattern.category)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end


def _first_meant(pattern: Pattern, text: str) -> tuple[int, int] | None:
    """Return the first match of the pattern that is neither quoted, nor reported, nor cancelled by ``unless``."""
    for number, match in enumerate(pattern.compiled.finditer(text)):
        if number >= _PLACES:
            return None
        start, end = _trimmed(text, *match.span())
        if start == end:
            continue
        first, last = _sentence(text, start, end)
        if pattern.unless is not None and pattern.unless.search(text[first:last]):
            continue
        before, after = text[first:start], text[end:last]
        if not _reported(pattern, before, after) and not _quoted(text, start, end):
            return start, end
    return None


def _reported(pattern: Pattern, before: str, after: str) -> bool:
    guards = pattern.guards
    return bool(
        guards.before.Match(before)
        or (pattern.category == "insult" and guards.own.Match(before))
        or guards.after.Match(after)
    )


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of the sentence around a hit, which has a bounded length.

    A full stop ends a sentence only before a space. An end mark before と or っ doesn't: 「死ね！と言われた」 is one sentence.
    """
    floor, ceiling = max(0, start - _CONTEXT), min(len(text), end + _CONTEXT)
    stop = text.rfind(". ", max(0, floor - 1), start)
    first = max(floor, stop + 2 if stop >= 0 else 0, *[text.rfind(mark, floor, start) + 1 for mark in _ENDS])
    sentence_end = _END.search(text, end, ceiling + 1)
    return first, ceiling if sentence_end is None else min(sentence_end.start(), ceiling)


def _quoted(text: str, start: int, end: int) -> bool:
    """Whether the hit is in quotation marks, with words of the writer outside them."""
    low = max(0, start - 2 * _CONTEXT)
    before, after = text[low:start], text[end : end + 2 * _CONTEXT]
    opened = max(before.rfind(mark) for mark in _OPEN_QUOTES)
    if opened > max(before.rfind(mark) for mark in _CLOSE_QUOTES):
        closed = min((place for place in (after.find(mark) for mark in _CLOSE_QUOTES) if place >= 0), default=-1)
    elif before.count('"') % 2 == 1:
        opened, closed = before.rfind('"'), after.find('"')
    else:
        return False
    if closed < 0:
        return False
    outside = text[: low + opened][-40:] + after[closed + 1 :][:40]
    return any(character.isalnum() for character in outside)


def _repeats(text: str) -> bool:
    sentences = Counter(match.group().strip() for match, _ in zip(_SENTENCE.finditer(text), range(400), strict=False))
    return bool(sentences) and sentences.most_common(1)[0][1] >= _REPEATS

"""Harassment of employees by customers: カスハラ in the categories of the Japanese ministry's manual (MHLW 2022).

Only what a customer writes is judged, so a finding always protects the employee; it is never an attempt. Anger is not
harassment: a complaint, however sharp, a lawful threat (ombudsman, small claims), a symptom, a joke and a report of what
somebody else said stay quiet. Each hit is evidence of its own; together they must reach ``THRESHOLD``. Where they do
not, but a hint stands, the learned part weighs the wording as a whole.
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
#: The detector id of what only the learned part is sure of; it speaks where a pattern or a hint stands.
WORDING = "harassment.wording"
#: Log odds taken off where a text has a single hint (chosen by cross-validation).
LONE = 2.0
#: Characters below which wording says nothing that a pattern would not have said.
SHORTEST = 13
MAX_FINDINGS = 20
#: Places of one pattern that are looked at before it is given up: a text full of quoted hits must stay cheap.
_PLACES = 8
#: How far around a hit its sentence is read.
_CONTEXT = 120
_ENDS = "。．!?！？\n"
_END = re.compile(rf"\.(?= |\Z)|[{_ENDS}](?![とっ])")
_OPEN_QUOTES, _CLOSE_QUOTES = "「『“", "」』”"
_EDGES = " \t\n、。,.!?！？;:「」『』\"'"
_SENTENCE = re2.compile(r"[^。．.!?！？\n]{2,80}")
#: The same sentence so often in one message is pressing, whatever it says.
_REPEATS = 4
#: What is left of the doubt then.
PRESSING = 0.7


class Severity(IntEnum):
    """How soon somebody must look. ``HIGH`` is danger to a person, ``LOW`` rudeness."""

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
    """A pattern, its place in the folded text, and how sure it makes (the first of a list: all of them together)."""

    pattern: Pattern
    start: int
    end: int
    score: float


def severity(finding: Finding) -> Severity:
    """Severity of a harassment finding, by its category (``finding.technique``)."""
    return SEVERITY[finding.technique]


def find(normalised: Normalised, direction: Direction, company: Company) -> Iterable[Finding]:
    """Findings of kind ``harassment`` in a customer's message; their ``technique`` is the category.

    Nothing for outbound texts and notes: there the words are the employee's, who quotes or reports. Linear in the text.
    """
    del company  # no company's rule makes a threat less of one
    if direction is not Direction.INBOUND:
        return []
    text = normalised.text
    hits = meant(text, packs())
    if not hits:
        return []
    found = together(hits) or (_nearly(hits) and _repeats(text) and together(hits, pressing=True)) or []
    if found:
        return sorted(
            (_finding(normalised, hit) for hit in found[:MAX_FINDINGS]),
            key=lambda finding: (finding.start, finding.end),
        )
    if len(text) < SHORTEST:
        return []
    above, start, end = strongest(text)
    above -= lone(hits)
    if above <= 0:
        return []
    start, end = _trimmed(text, start, end)
    low, high = normalised.span(start, end)
    score = round(1 / (1 + math.exp(-min(above, 20.0))), 4)
    return [Finding(Kind.HARASSMENT, low, high, score, WORDING, model().version, technique=hits[0].pattern.category)]


def meant(text: str, loaded: Packs) -> list[Hit]:
    """Where patterns of the packs stand in a folded text and are meant, most telling first; hints among them."""
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
    """What a single sign costs: the learned part must be surer where only one hint stands."""
    return LONE if len(hits) == 1 else 0.0


def _nearly(hits: list[Hit]) -> bool:
    """Whether repetition would tip the scale; looking for it costs more than all the rest."""
    return math.prod(1 - hit.score for hit in hits) * PRESSING <= 1 - THRESHOLD


def together(hits: list[Hit], *, pressing: bool = False) -> list[Hit]:
    """Those worth showing, the first with the score of all of them; nothing when all of it together is too weak."""
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
    """The first place where the pattern stands and is meant: neither quoted, nor told of, nor explained away."""
    for place, match in enumerate(pattern.compiled.finditer(text)):
        if place >= _PLACES:
            return None
        start, end = _trimmed(text, *match.span())
        if start == end:
            continue
        first, last = _sentence(text, start, end)
        if pattern.unless is not None and pattern.unless.search(text[first:last]):
            continue
        before, after = text[first:start], text[end:last]
        if not _only_told(pattern, before, after) and not _quoted(text, start, end):
            return start, end
    return None


def _only_told(pattern: Pattern, before: str, after: str) -> bool:
    guards = pattern.guards
    return bool(
        guards.before.Match(before)
        or (pattern.category == "insult" and guards.own.Match(before))
        or guards.after.Match(after)
    )


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence around a hit, bounded; a full stop ends one only before a space ("2 a.m." does not matter here), and
    「死ね！と言われた」 goes on."""
    floor, ceiling = max(0, start - _CONTEXT), min(len(text), end + _CONTEXT)
    stop = text.rfind(". ", max(0, floor - 1), start)
    first = max(floor, stop + 2 if stop >= 0 else 0, *[text.rfind(mark, floor, start) + 1 for mark in _ENDS])
    ended = _END.search(text, end, ceiling + 1)
    return first, ceiling if ended is None else min(ended.start(), ceiling)


def _quoted(text: str, start: int, end: int) -> bool:
    """Whether the hit stands in quotation marks, with words of the writer's own outside them."""
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

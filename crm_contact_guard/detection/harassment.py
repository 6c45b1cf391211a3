"""Harassment of employees by customers: カスハラ in the categories of the Japanese ministry's manual (MHLW 2022).

Only what a customer writes is judged, so a finding always protects the employee; it is never an attempt. Anger is not
harassment: a complaint, however sharp, a lawful threat (ombudsman, small claims), a symptom, a joke and a report of what
somebody else said stay quiet. Each hit is evidence of its own; together they must reach ``THRESHOLD``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import re2

from crm_contact_guard.detection.harassment_packs import Pattern, packs
from crm_contact_guard.detection.normalise import Normalised
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

THRESHOLD = 0.5
MAX_FINDINGS = 20
#: Places of one pattern that are looked at before it is given up: a text full of quoted hits must stay cheap.
_PLACES = 8
#: How far around a hit its sentence is read.
_CONTEXT = 120
_ENDS = frozenset("。．!?！？\n")
_OPEN_QUOTES, _CLOSE_QUOTES = "「『“", "」』”"
_EDGES = " \t\n、。,.!?！？;:「」『』\"'"
_SENTENCE = re2.compile(r"[^。．.!?！？\n]{2,80}")
#: The same sentence so often in one message is pressing, whatever it says.
_REPEATS = 4


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
class _Hit:
    pattern: Pattern
    start: int
    end: int


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
    loaded = packs()
    hits = []
    for index in sorted(loaded.together.Match(text) or ()):
        hit = _first_meant(loaded.patterns[index], text)
        if hit is not None:
            hits.append(hit)
    if not hits:
        return []
    doubt = 0.7 if _repeats(text) else 1.0
    for hit in hits:
        doubt *= 1 - hit.pattern.score
    joint = round(1 - doubt, 4)
    if joint < THRESHOLD:
        return []
    hits.sort(key=lambda hit: -hit.pattern.score)
    shown = [hit for hit in hits if hit.pattern.score >= THRESHOLD] or hits[:1]
    findings = [
        _finding(normalised, hit, joint if number == 0 else hit.pattern.score) for number, hit in enumerate(shown[:MAX_FINDINGS])
    ]
    return sorted(findings, key=lambda finding: (finding.start, finding.end))


def _finding(normalised: Normalised, hit: _Hit, score: float) -> Finding:
    low, high = normalised.span(hit.start, hit.end)
    pattern = hit.pattern
    return Finding(Kind.HARASSMENT, low, high, score, pattern.id, pattern.version, technique=pattern.category)


def _first_meant(pattern: Pattern, text: str) -> _Hit | None:
    """The first place where the pattern stands and is meant: neither quoted, nor told of, nor explained away."""
    for place, match in enumerate(pattern.compiled.finditer(text)):
        if place >= _PLACES:
            return None
        start, end = match.span()
        while start < end and text[start] in _EDGES:
            start += 1
        while end > start and text[end - 1] in _EDGES:
            end -= 1
        if start == end:
            continue
        first, last = _sentence(text, start, end)
        if pattern.unless is not None and pattern.unless.search(text[first:last]):
            continue
        before, after = text[first:start], text[end:last]
        if not _only_told(pattern, before, after) and not _quoted(text, start, end):
            return _Hit(pattern, start, end)
    return None


def _only_told(pattern: Pattern, before: str, after: str) -> bool:
    guards = pattern.guards
    ahead = guards.before + guards.own if pattern.category == "insult" else guards.before
    return any(guard.search(before) for guard in ahead) or any(guard.search(after) for guard in guards.after)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence around a hit, bounded; a full stop ends one only before a space ("2 a.m." does not matter here)."""
    first, floor = start, max(0, start - _CONTEXT)
    while first > floor and text[first - 1] not in _ENDS and not (text[first - 1] == " " and first > 1 and text[first - 2] == "."):
        first -= 1
    last, ceiling = end, min(len(text), end + _CONTEXT)
    while last < ceiling and text[last] not in _ENDS and not (text[last] == "." and text[last + 1 : last + 2] in ("", " ")):
        last += 1
    return first, last


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

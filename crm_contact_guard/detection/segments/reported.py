"""Quoted speech in an employee's note: 「携帯教えて」と言われた is the customer's, 「…です」とお伝えした the employee's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crm_contact_guard.detection.segments.types import Line
from crm_contact_guard.detection.segments.words import names, sought

_MARK = re.compile(r"[「」『』“”\"]")
_OPENS = {"「": "」", "『": "』", "“": "”", '"': '"'}
_AFTER = re.compile(r"\s?(?:と|って|との)")
_THEY_SAID = re.compile(
    r"\b(?:customer|client|guest|caller|patient|pt|he|she|they|mr\.?|mrs\.?|ms\.?|buyer|tenant|visitor)\b[^.\n\"“]{0,40}\b(?:said|asks?|asked|says|told (?:me|us)|wrote|insisted|suggested|wanted|offered|texted)\b[^.\n\"“]{0,24}$"
)
#: How much around a quotation is read, and how long one may be.
_AROUND = 60
_MOST = 600
#: Quotations of one note that are looked at.
_MANY = 300


def is_note(lines: Sequence[Line]) -> bool:
    """Whether a text begins as notes of calls and visits do."""
    head = lines[0].text[:24].lower() if lines else ""
    met = sought("note", "head").search(head)
    return met is not None and (head[:1] in "【[(■●◆" or met.start() == 0)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """What of a note others said, without the quotation marks."""
    opened, closes, left = -1, "", _MANY
    for met in _MARK.finditer(text):
        mark = met.group()
        if not left:
            return
        if opened >= 0 and mark == closes:
            left -= 1
            if 4 <= met.start() - opened <= _MOST and _others(text, opened, met.end()):
                yield opened + 1, met.start()
            opened = -1
        elif mark in _OPENS:
            opened, closes = met.start(), _OPENS[mark]


def _others(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _AROUND) : start].lower(), text[end : end + 24]
    met = _AFTER.match(after)
    if met is None:
        return _THEY_SAID.search(before) is not None
    verb = after[met.end() :].lstrip("の")
    for ours in names("note", "we"):
        if verb[:10].find(ours) in (0, 1, 2, 3):
            return False
    if any(verb.startswith(theirs.lstrip("の")) for theirs in names("note", "they")):
        return True
    ends = not verb or verb[0] in "。、,\n "
    return ends and any(person in before[-40:] for person in names("note", "persons"))

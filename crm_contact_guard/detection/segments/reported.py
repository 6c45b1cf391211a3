"""Finds quoted speech in notes: 「携帯教えて」と言われた quotes the customer, 「…です」とお伝えした quotes the employee."""

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
#: Characters read before a quotation, and its maximum length.
_AROUND = 60
_MOST = 600
#: Maximum number of quotations that are evaluated in one note.
_MANY = 300


def is_note(lines: Sequence[Line]) -> bool:
    """Whether a text begins like a note on a call or visit."""
    head = lines[0].text[:24].lower() if lines else ""
    match = sought("note", "head").search(head)
    return match is not None and (head[:1] in "【[(■●◆" or match.start() == 0)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of what others said according to a note, without the quotation marks."""
    opened, closes, remaining = -1, "", _MANY
    for match in _MARK.finditer(text):
        mark = match.group()
        if not remaining:
            return
        if opened >= 0 and mark == closes:
            remaining -= 1
            if 4 <= match.start() - opened <= _MOST and _others(text, opened, match.end()):
                yield opened + 1, match.start()
            opened = -1
        elif mark in _OPENS:
            opened, closes = match.start(), _OPENS[mark]


def _others(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _AROUND) : start].lower(), text[end : end + 24]
    match = _AFTER.match(after)
    if match is None:
        return _THEY_SAID.search(before) is not None
    verb = after[match.end() :].lstrip("の")
    for ours in names("note", "we"):
        if verb[:10].find(ours) in (0, 1, 2, 3):
            return False
    if any(verb.startswith(theirs.lstrip("の")) for theirs in names("note", "they")):
        return True
    ends = not verb or verb[0] in "。、,\n "
    return ends and any(person in before[-40:] for person in names("note", "persons"))

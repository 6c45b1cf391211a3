"""Splits text in any of the supported languages into sentences and clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENDS = "。！？!?\\n;；…"
_PAUSES = _ENDS + "、,，:："
# Each expression begins with a single character class, so the library can skip to candidates; lookbehinds then decide.
_END = re.compile(rf"[{_ENDS}.](?:(?<=\.)(?=\s)|(?<!\.)[{_ENDS}]*)")
#: English conjunctions begin a clause without punctuation; in other languages a comma precedes them.
_CLAUSE = re.compile(
    rf"[{_PAUSES}. ](?:(?<= )(?<=[a-z] )(?:but|and|so|because|though|although|if|or) |(?<=\.)(?=\s)|(?<![ .])[{_PAUSES}]*)"
)


def clause_ends(text: str) -> list[int]:
    """Return the offsets at which the clauses of a text end, except for the last clause."""
    return [match.end() for match in _CLAUSE.finditer(text)]


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences.

    A full stop ends a sentence only before a space, because addresses contain full stops too.
    """
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        if text[start : match.start()].strip():
            yield _trim(text, start, end)
        start = end
    if text[start:].strip():
        yield _trim(text, start, len(text))


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end

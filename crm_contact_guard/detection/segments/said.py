"""Checks whether a quote repeats earlier messages, using shingles that ignore line wrapping and punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: Length of a shingle, in characters.
_LENGTH = 8
#: How many characters of earlier messages are indexed.
_MOST = 400_000
#: How many characters of a line may be new, for example in a shortened link.
_NEW = 2
_WORD = re.compile(r"[^\W_]+")


class Said:
    """An index of earlier messages."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._shingles: set[str] = set()
        self._words: set[str] = set()
        remaining = _MOST
        for text in texts:
            bare = squeezed(text)[:remaining]
            remaining -= len(bare)
            if bare:
                self._words.update(_WORD.findall(text[:_MOST].casefold()))
                self._shingles.update(bare[at : at + _LENGTH] for at in range(max(0, len(bare) - _LENGTH + 1)))

    def repeated(self, lines: Sequence[str]) -> list[bool]:
        """Return whether each line of a quote repeats earlier messages. A line may wrap into the next."""
        bare = [squeezed(line) for line in lines]
        joined = "".join(bare)
        covered = bytearray(len(joined))
        for at in range(len(joined) - _LENGTH + 1):
            if joined[at : at + _LENGTH] in self._shingles:
                covered[at : at + _LENGTH] = b"\1" * _LENGTH
        results = []
        start = 0
        for line in bare:
            new_characters = covered.count(0, start, start + len(line))
            results.append(new_characters <= min(_NEW, len(line) // 4) or self._is_short(line))
            start += len(line)
        return results

    def _is_short(self, line: str) -> bool:
        """Whether a line too short for a shingle is a whole word of earlier messages."""
        return 2 <= len(line) < _LENGTH and line.isalpha() and line in self._words


def squeezed(text: str) -> str:
    """Return only the letters and digits of a text, case-folded."""
    return "".join(filter(str.isalnum, text.casefold()))

"""Whether a quote repeats what was said: shingles over letters alone, so that wrapping, marks and spaces do not matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: Characters of a shingle.
_LENGTH = 8
#: So much of earlier talk is kept in mind.
_MOST = 400_000
#: Characters of a line that may be new: a link that was shortened, a mark that was lost.
_NEW = 2
_WORD = re.compile(r"[^\W_]+")


class Said:
    """What was said before."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._shingles: set[str] = set()
        self._words: set[str] = set()
        left = _MOST
        for text in texts:
            bare = squeezed(text)[:left]
            left -= len(bare)
            if bare:
                self._words.update(_WORD.findall(text[:_MOST].casefold()))
                self._shingles.update(bare[at : at + _LENGTH] for at in range(max(0, len(bare) - _LENGTH + 1)))

    def repeated(self, lines: Sequence[str]) -> list[bool]:
        """For each line of one quote whether it repeats what was said. A line may be wrapped into the next."""
        bare = [squeezed(line) for line in lines]
        joined = "".join(bare)
        covered = bytearray(len(joined))
        for at in range(len(joined) - _LENGTH + 1):
            if joined[at : at + _LENGTH] in self._shingles:
                covered[at : at + _LENGTH] = b"\1" * _LENGTH
        found = []
        start = 0
        for line in bare:
            new = covered.count(0, start, start + len(line))
            found.append(new <= min(_NEW, len(line) // 4) or self._is_short(line))
            start += len(line)
        return found

    def _is_short(self, line: str) -> bool:
        """Whether a line too short for a shingle was a whole word or name of what was said."""
        return 2 <= len(line) < _LENGTH and line.isalpha() and line in self._words


def squeezed(text: str) -> str:
    """Letters and figures alone, small."""
    return "".join(filter(str.isalnum, text.casefold()))

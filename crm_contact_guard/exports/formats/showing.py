"""Texts as they can be printed: nothing in them is invisible, and no line is wider than the page."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection
from typing import Final

#: After so many characters without a space, a line may be broken anywhere.
_RUN: Final = 40
#: Categories of characters that print nothing or change the order of others: controls, formats, halves of pairs, and
#: separators of lines.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINER: Final = "\u200d"
#: Allows a line to be broken.
_BREAK: Final = "\u200b"


class Printed:
    """Texts for fonts that have only some ``characters``. ``missing`` counts those that were written as numbers."""

    def __init__(self, characters: Collection[int]) -> None:
        self._has = characters
        self.missing: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """Return the text. A character that a reader could not see is written as its number, such as [U+1F469]."""
        shown: list[str] = []
        run, before = 0, ""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
        for at, one in enumerate(lines):
            after = lines[at + 1 : at + 2]
            if one in " \n":
                written, run = one, 0
            elif self._is_seen(one, before, after):
                written = one
            else:
                written = f"[U+{ord(one):04X}]"
                self.missing[one] += 1
            if run >= _RUN and _JOINER not in (one, before) and unicodedata.category(one)[0] != "M":
                shown.append(_BREAK)
                run = 0
            run += 0 if one in " \n" else len(written)
            shown.append(written)
            before = written
        return "".join(shown)

    def _is_seen(self, one: str, before: str, after: str) -> bool:
        if _is_selector(one):
            # It chooses a form of the character before it, and prints nothing itself.
            return len(before) == 1 and before not in " \n"
        if one == _JOINER:
            # It joins emoji, if the font has them.
            return len(before) == 1 and before not in " \n" and bool(after) and ord(after) in self._has
        return ord(one) in self._has and unicodedata.category(one) not in _UNSEEN


def name(one: str) -> str:
    """Return the number and the Unicode name of a character."""
    return f"U+{ord(one):04X} {unicodedata.name(one, '')}".strip()


def _is_selector(one: str) -> bool:
    return "\ufe00" <= one <= "\ufe0f" or "\U000e0100" <= one <= "\U000e01ef"

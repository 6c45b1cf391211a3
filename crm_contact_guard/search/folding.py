"""How texts and search words are made comparable, and where words stand in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

#: Marks that join the character before them when a text is composed (half-width kana have marks of their own).
_VOICED: Final = "\uff9e\uff9f"
_SPACE: Final = re.compile(r"\s+")
_QUOTED: Final = re.compile(r'["“”「」]([^"“”「」]+)["“”「」]|(\S+)')
#: Fewest characters of a word, and most words and characters of a search.
SHORTEST: Final = 2
MOST_WORDS: Final = 10
LONGEST: Final = 200


def fold(text: str) -> str:
    """Return the text with full-width forms, case and white space made alike (NFKC, Unicode's case folding)."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def words_of(typed: str) -> list[str]:
    """Return the folded words and quoted phrases of a search, without those that are too short, at most MOST_WORDS."""
    found = (fold(quoted or word) for quoted, word in _QUOTED.findall(typed.replace("\0", "")[:LONGEST]))
    return [word for word in dict.fromkeys(found) if len(word) >= SHORTEST][:MOST_WORDS]


def places(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the folded words stand in the original text, as (start, end), merged and in order."""
    folded, origins = _with_origins(text)
    marked: set[int] = set()
    for word in words:
        start = folded.find(word)
        while start >= 0:
            marked.update(range(origins[start][0], origins[start + len(word) - 1][1]))
            start = folded.find(word, start + len(word))
    return _ranges(sorted(marked))


def _with_origins(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Fold the text piece by piece, and return for each character of the result where it comes from."""
    folded: list[str] = []
    origins: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and (unicodedata.combining(text[end]) or text[end] in _VOICED):
            end += 1
        piece = unicodedata.normalize("NFKC", text[start:end]).casefold()
        if piece.isspace():
            piece = "" if folded and folded[-1] == " " else " "
        folded.extend(piece)
        origins.extend([(start, end)] * len(piece))
        start = end
    return "".join(folded), origins


def _ranges(positions: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for position in positions:
        if found and found[-1][1] == position:
            found[-1] = (found[-1][0], position + 1)
        else:
            found.append((position, position + 1))
    return found

"""Folds text and maps offsets in the folded text back to the original.

One translation table does the work (see ``folding``). A table of offsets is created only if characters were dropped or
joined (zero-width characters, half-width or decomposed voiced kana).
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection.text.folding import build

_VOICED = dict(zip("かきくけこさしすせそたちつてとはひふへほカキクケコサシスセソタチツテトハヒフヘホウ",
                   "がぎぐげござじずぜぞだぢづでどばびぶべぼガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", strict=True))  # fmt: skip
_SEMI_VOICED = dict(zip("はひふへほハヒフヘホ", "ぱぴぷぺぽパピプペポ", strict=True))
_MARKS = {"ﾞ": _VOICED, "゙": _VOICED, "ﾟ": _SEMI_VOICED, "゚": _SEMI_VOICED}
_TRAILING = frozenset("\ufe0e\ufe0f\u20e3") | frozenset(_MARKS)
_CODE = np.dtype(np.uint32)
_Codes = npt.NDArray[np.uint32]
#: The last code point, and two values above it that stand for a dropped character and a voicing mark in the table.
_LAST, _DROPPED, _MARK = 0x10FFFF, 0x110000, 0x110001


def _table() -> _Codes:
    """Return an array that maps each code point to its folded code point. Neighbouring entries share cache lines."""
    table = np.arange(0x110000, dtype=_CODE)
    folded = build()
    targets = [
        _DROPPED if target is None else ord(target) if isinstance(target, str) else target for target in folded.values()
    ]
    table[list(folded)] = targets
    table[[ord(mark) for mark in _MARKS]] = _MARK
    return table


_TABLE = _table()
_CONTROLS = {code: chr(_TABLE[code]) for code in (*range(0x20), 0x7F)}


class Normalised:
    """A text and its folded form.

    ``text`` is the folded form of ``original`` that patterns are applied to: lower case, ASCII digits for the digits of
    all scripts, half-width Latin, plain separators, no invisible characters. Kanji numerals are kept, since they are
    also words; the number patterns list them instead. ``span`` maps offsets back.
    """

    __slots__ = ("_kept", "gates", "original", "text")

    def __init__(self, original: str, text: str, positions: list[int] | None) -> None:
        self.original = original
        self.text = text
        self._kept = positions
        #: Gates that open for the whole text (see ``gates``), or ``None`` if they haven't been computed.
        self.gates: set[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in ``original`` of a half-open folded range, including characters dropped within it."""
        positions = self._kept
        if positions is None:
            return start, end
        if not positions or start >= len(positions):
            return len(self.original), len(self.original)
        if end <= start:
            return positions[start], positions[start]
        stop = positions[end] if end < len(positions) else len(self.original)
        last = positions[end - 1] + 1
        # Include dropped characters after the range only if they are part of its last character (keycap, voicing mark).
        while last < stop and self.original[last] in _TRAILING:
            last += 1
        return positions[start], last

    def folded(self, start: int, end: int) -> tuple[int, int]:
        """Return the folded range that covers the given range of ``original``."""
        positions = self._kept
        if positions is None:
            return start, end
        return bisect_left(positions, start), bisect_left(positions, end)


def normalise(original: str) -> Normalised:
    """Fold a text in time linear in its length. Never raises."""
    if original.isascii():
        text = original.lower()
        return Normalised(original, text if text.isprintable() else text.translate(_CONTROLS), None)
    folded = _TABLE.take(np.frombuffer(original.encode("utf-32-le", "surrogatepass"), _CODE))
    try:
        # The decoder checks each code point anyway and rejects those above the last.
        return Normalised(original, str(folded.data, "utf-32-le"), None)
    except UnicodeDecodeError:
        pass
    positions = np.flatnonzero(folded <= _LAST)
    return Normalised(original, _voiced(original, folded, positions), positions.tolist())


def _voiced(original: str, folded: _Codes, positions: npt.NDArray[np.intp]) -> str:
    """Return the folded text without dropped characters. A kana followed by a voicing mark becomes voiced."""
    text: str = str(folded[positions].data, "utf-32-le")
    places = np.flatnonzero(folded == _MARK)
    if not len(places):
        return text
    characters = list(text)
    for mark, place in zip(places.tolist(), (np.searchsorted(positions, places) - 1).tolist(), strict=True):
        if place >= 0:
            characters[place] = _MARKS[original[mark]].get(characters[place], characters[place])
    return "".join(characters)

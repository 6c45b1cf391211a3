"""Folded text with a way back: every offset found in the folded text maps to the original.

One translate table does the work (see ``folding``); only where characters were dropped or joined (zero width marks,
half-width or decomposed voiced kana) a table of offsets is made.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from crm_contact_guard.detection.folding import build

_TABLE = build()
_VOICED = dict(zip("かきくけこさしすせそたちつてとはひふへほカキクケコサシスセソタチツテトハヒフヘホウ",
                   "がぎぐげござじずぜぞだぢづでどばびぶべぼガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", strict=True))  # fmt: skip
_SEMI_VOICED = dict(zip("はひふへほハヒフヘホ", "ぱぴぷぺぽパピプペポ", strict=True))
_MARKS = {"ﾞ": _VOICED, "゙": _VOICED, "ﾟ": _SEMI_VOICED, "゚": _SEMI_VOICED}
_DROPPED = np.zeros(0x110000, dtype=np.bool_)
_DROPPED[[code for code, target in _TABLE.items() if target is None]] = True


class Normalised:
    """A text and its folded form.

    ``original`` is what was written, ``text`` the folded form in which patterns are sought: small letters, ASCII
    digits for the digits of all scripts, full-width Latin, plain separators, nothing invisible. Kanji numerals stay, as
    they are words too; number patterns name them. ``span`` leads back.
    """

    __slots__ = ("_kept", "gates", "original", "text")

    def __init__(self, original: str, text: str, kept: list[int] | None) -> None:
        self.original = original
        self.text = text
        self._kept = kept
        #: Gates that open for the whole text (see ``gates``), ``None`` as long as nobody looked.
        self.gates: set[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``original`` of the folded half-open range; what was dropped inside the range is included."""
        kept = self._kept
        if kept is None:
            return start, end
        if not kept or start >= len(kept):
            return len(self.original), len(self.original)
        if end <= start:
            return kept[start], kept[start]
        stop = kept[end] if end < len(kept) else len(self.original)
        last = kept[end - 1] + 1
        # A trailing mark belongs to the character before it only when it is a part of it (keycap, voicing).
        while last < stop and self.original[last] in _TRAILING:
            last += 1
        return kept[start], last

    def folded(self, start: int, end: int) -> tuple[int, int]:
        """The folded range that covers the given range of ``original``."""
        kept = self._kept
        if kept is None:
            return start, end
        return bisect_left(kept, start), bisect_left(kept, end)


_TRAILING = frozenset("\ufe0e\ufe0f\u20e3") | frozenset(_MARKS)


def normalise(original: str) -> Normalised:
    """Fold a text. Never raises; linear in its length."""
    if original.isascii():
        text = original.lower()
        if text.isprintable():
            return Normalised(original, text, None)
        return Normalised(original, text.translate(_TABLE), None)
    text = original.translate(_TABLE)
    if not _MARKS.keys().isdisjoint(text):
        return _join_marks(original)
    if len(text) == len(original):
        return Normalised(original, text, None)
    codes = np.frombuffer(original.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return Normalised(original, text, np.flatnonzero(~_DROPPED[codes]).tolist())


def _join_marks(original: str) -> Normalised:
    """The way for kana with voicing marks of their own: the marks are dropped and what they follow is voiced."""
    codes = np.frombuffer(original.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    marks = np.isin(codes, _MARK_CODES)
    kept = np.flatnonzero(~(_DROPPED[codes] | marks))
    folded = list(original.translate(_WITHOUT_MARKS))
    places = np.flatnonzero(marks)
    for mark, place in zip(places.tolist(), (np.searchsorted(kept, places) - 1).tolist(), strict=True):
        if place >= 0:
            folded[place] = _MARKS[original[mark]].get(folded[place], folded[place])
    return Normalised(original, "".join(folded), kept.tolist())


_MARK_CODES = np.array([ord(mark) for mark in _MARKS], dtype=np.uint32)
_WITHOUT_MARKS = _TABLE | dict.fromkeys(map(ord, _MARKS))

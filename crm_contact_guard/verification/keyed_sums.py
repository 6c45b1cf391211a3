"""Compare sets of millions of members in constant memory, by the sum of a keyed hash of each member.

Equal sets have equal sums, in any order. The key is random for each run, so an attacker can't prepare two different
sets with the same sum.
"""

from __future__ import annotations

import os

import numpy as np

Totals = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]


class KeyedSums:
    """Sums over byte strings of ``size`` bytes, a multiple of 8, under a fresh random key."""

    def __init__(self, size: int) -> None:
        self._words = size // 8
        self._key = np.frombuffer(os.urandom(16 * (self._words + 1)), dtype=np.uint64).reshape(2, -1) | np.uint64(1)

    def of(self, members: bytes) -> Totals:
        """Return two sums mod 2⁶⁴ and the count of the concatenated ``members``. Results can be added or subtracted."""
        words = np.frombuffer(members, dtype=np.uint64).reshape(-1, self._words)
        with np.errstate(over="ignore"):
            sums = [self._mixed(words, lane).sum(dtype=np.uint64) for lane in (0, 1)]
        return np.array([*sums, len(words)], dtype=np.uint64)

    def _mixed(self, words: Totals, lane: int) -> Totals:
        """Multiply each word by an odd secret number, then apply SplitMix64's final mix."""
        key = self._key[lane]
        mixed = np.full(len(words), key[-1])
        for at in range(self._words):
            mixed = (mixed ^ words[:, at]) * key[at]
            mixed ^= mixed >> np.uint64(29)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        result: Totals = mixed ^ (mixed >> np.uint64(31))
        return result

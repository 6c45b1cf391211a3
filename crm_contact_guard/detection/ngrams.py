"""Character n-grams of a folded text as bucket numbers, by a polynomial hash in numpy.

The hash of the gram at ``i`` of length ``n`` is Σ c[i+k]·B^k modulo 2³². With prefix sums of c[i]·B^i it is the
difference of two sums times B^-i, so all lengths are had in a handful of array operations.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

BITS = 15
BUCKETS = 1 << BITS
#: Lengths of the grams: two characters of kana and kanji say what five Latin letters do.
SHORTEST, LONGEST = 2, 5
#: How much the grams of a text weigh together, whatever its length.
SCALE = 4.0
_BASE = 0x01000193
_INVERSE = pow(_BASE, -1, 1 << 32)
_MIX = np.uint32(0x9E3779B1)
_SHIFT = np.uint32(32 - BITS)
_ZERO, _TEN = np.uint32(0x30), np.uint32(10)
_Ints = npt.NDArray[np.uint32]


def buckets(text: str) -> _Ints:
    """Buckets (< ``BUCKETS``) of all n-grams of the text, with repetition; digits are all one sign."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "replace"), dtype=np.uint32)
    codes = np.where(codes - _ZERO < _TEN, _ZERO, codes)
    powers, first, last, inverse = _plan(len(codes))
    sums = np.empty(len(codes) + 1, dtype=np.uint32)
    sums[0] = 0
    np.add.accumulate(codes * powers, out=sums[1:])
    hashes = (sums.take(last) - sums.take(first)) * inverse
    hashes *= _MIX
    hashes >>= _SHIFT
    return hashes


@lru_cache(maxsize=1024)
def _plan(length: int) -> tuple[_Ints, npt.NDArray[np.intp], npt.NDArray[np.intp], _Ints]:
    """Powers of the base, the ends of all grams in a text of this length, and what undoes each gram's place."""
    powers = _powers(_BASE, length)
    undo = _powers(_INVERSE, length)
    starts = [np.arange(max(0, length - size + 1), dtype=np.intp) for size in range(SHORTEST, LONGEST + 1)]
    first = np.concatenate(starts)
    last = np.concatenate([start + size for start, size in zip(starts, range(SHORTEST, LONGEST + 1), strict=True)])
    return powers, first, last, undo.take(first)


def _powers(base: int, count: int) -> _Ints:
    powers = np.full(count, base, dtype=np.uint32)
    powers[:1] = 1
    return np.multiply.accumulate(powers, dtype=np.uint32)

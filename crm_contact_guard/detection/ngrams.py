"""Character n-grams of a folded text as bucket numbers, by a rolling hash in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 15
#: Lengths of the grams; in kana and kanji two characters say what four Latin letters do.
SIZES = (2, 3, 4)
#: How much the grams of a text weigh together, whatever its length.
SCALE = 4.0
_MULTIPLIERS = np.array([0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F], dtype=np.uint32)


def buckets(text: str) -> npt.NDArray[np.uint32]:
    """Buckets (< ``BUCKETS``) of all n-grams of the text, with repetition; digits are all one sign."""
    codes = np.frombuffer((" " + text + " ").encode("utf-32-le", "replace"), dtype=np.uint32)
    codes = np.where((codes >= 48) & (codes <= 57), np.uint32(48), codes)
    scattered = codes * _MULTIPLIERS[0]
    parts = []
    rolled = scattered
    for size in range(2, max(SIZES) + 1):
        if len(codes) < size:
            break
        rolled = rolled[:-1] * _MULTIPLIERS[1] + scattered[size - 1 :] * np.uint32(size * 2 + 1)
        rolled = rolled ^ (rolled >> np.uint32(15))
        parts.append(rolled >> np.uint32(17))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)

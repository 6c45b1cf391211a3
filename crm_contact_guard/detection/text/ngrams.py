"""Character n-grams of a folded text as bucket numbers, by a linear hash in numpy.

The hash of the gram at ``i`` of length ``n`` is Σ c[i+k]·B^k modulo 2³². It is linear, so the grams of all lengths at all
places are one product: the text seen through a window of ``LONGEST`` characters times a small matrix of powers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BITS = 18
BUCKETS = 1 << BITS
#: Lengths of the grams: one kanji says much already, and whole words are known by the packs.
SHORTEST, LONGEST = 1, 4
#: How much the grams of a text weigh together, whatever its length.
SCALE = 4.0
_SIZES = LONGEST - SHORTEST + 1
_BASE, _MIX = 0x01000193, 0x9E3779B1
_SHIFT = np.uint32(32 - BITS)
_CODE = np.dtype(np.uint32)
#: A column for each length. What mixes the hash is multiplied in; rows below a gram's length are nothing.
_POWERS = np.array(
    [
        [_MIX * pow(_BASE, row, 1 << 32) % (1 << 32) if row < size else 0 for size in range(SHORTEST, LONGEST + 1)]
        for row in range(LONGEST)
    ],
    dtype=_CODE,
)
#: Code points, with one sign for all digits.
_SIGNS = np.arange(0x110000, dtype=_CODE)
_SIGNS[ord("0") : ord("9") + 1] = ord("0")
#: Windows at the end of a text that are shorter than the gram, all lengths together.
_OVER_END = _SIZES * (_SIZES - 1) // 2
_PADDING = "\0" * (LONGEST - SHORTEST)
_Ints = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float32]


def codes(text: str) -> _Ints:
    """Code points of a text, with one sign for all digits."""
    return _SIGNS.take(np.frombuffer(text.encode("utf-32-le", "replace"), _CODE))


def _windows(text: str) -> _Ints:
    """Buckets by place and length of gram, over the text between two spaces. The last places hold grams that run over the
    end: those below the diagonal, see ``_ENDS``."""
    signs = codes(f" {text} {_PADDING}")
    # Rows that overlap, without a copy: ``as_strided`` would take longer than all the rest.
    hashes: _Ints = np.ndarray((len(text) + 1, LONGEST), _CODE, signs, 0, (4, 4)) @ _POWERS
    hashes >>= _SHIFT
    return hashes


def buckets(text: str) -> _Ints:
    """Buckets (< ``BUCKETS``) of all n-grams of the text, with repetition, by length; digits are all one sign."""
    places = _windows(text)
    return np.concatenate([places[: max(0, len(places) - size), size] for size in range(_SIZES)])


def count(length: int) -> int:
    """How many n-grams a text of so many characters has."""
    places = length + 1
    return _SIZES * places - _OVER_END if places >= _SIZES else sum(max(0, places - size) for size in range(_SIZES))


def _ends(places: int) -> Weights:
    """One for each gram of a text with so many places, nothing for what runs over its end."""
    kept = np.ones((places, _SIZES), dtype=np.float32)
    for size in range(1, _SIZES):
        kept[max(0, places - size) :, size] = 0
    return kept.ravel()


#: For texts of up to so many places the end of one array serves.
_PREPARED = 1024
_ENDS = _ends(_PREPARED)


def weigh(text: str, weights: Weights) -> float:
    """Sum of the weights (whole numbers, one a bucket) of all n-grams of the text.

    Exact up to 2²⁴: with weights of eight bits for texts of more than 30,000 characters.
    """
    found = weights.take(_windows(text)).ravel()
    places = len(text) + 1
    return float(found.dot(_ENDS[-len(found) :] if places <= _PREPARED else _ends(places)))


#: Spans from this length on hold whole the longest gram that begins with the space before them.
_APART = LONGEST - 1


def weigh_each(text: str, spans: Sequence[tuple[int, int]], weights: Weights) -> list[float]:
    """For each span of the text the same as ``weigh`` of what stands in it.

    The grams are weighed once for the whole text, however the spans overlap, and summed by differences of running totals;
    only those that begin with the space before a span are its own. Whole numbers in float64: exact, so that a text is
    judged alike alone and among others.
    """
    signs = codes(f"{text}{_PADDING}")
    running = np.zeros((_SIZES, len(text) + 1))
    hashes = np.zeros(len(text), dtype=_CODE)
    for size in range(_SIZES):
        hashes += signs[size : size + len(text)] * _POWERS[size, -1]
        np.cumsum(weights.take(hashes >> _SHIFT), dtype=np.float64, out=running[size, 1:])
    apart = np.array([span for span in spans if span[1] - span[0] >= _APART], dtype=np.intp).reshape(-1, 2)
    starts, ends = apart[:, :1], apart[:, 1:]
    sizes = np.arange(_SIZES)
    within = running[sizes, ends - sizes] - running[sizes, starts]
    spaces = np.full((len(starts), 1), ord(" "), dtype=_CODE)
    first = np.hstack([spaces, signs[starts + np.arange(_APART)]]) @ _POWERS
    sums = iter((within + weights.take(first >> _SHIFT)).sum(axis=1).tolist())
    return [next(sums) if end - start >= _APART else weigh(text[start:end], weights) for start, end in spans]

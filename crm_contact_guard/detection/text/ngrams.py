"""Maps the character n-grams of a folded text to bucket numbers with a linear hash, in numpy.

The hash of the n-gram of length ``n`` at ``i`` is Σ c[i+k]·B^k modulo 2³² (k < n). Because it is linear, the hashes of
all lengths at all positions are a single matrix product: the sliding windows of ``LONGEST`` characters times a matrix
of powers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BITS = 18
BUCKETS = 1 << BITS
#: Lengths of the n-grams. Even a single kanji is informative, and the packs cover whole words.
SHORTEST, LONGEST = 1, 4
#: Total weight of the n-grams of a text, independent of its length.
SCALE = 4.0
_SIZES = LONGEST - SHORTEST + 1
_BASE, _MIX = 0x01000193, 0x9E3779B1
_SHIFT = np.uint32(32 - BITS)
_CODE = np.dtype(np.uint32)
#: One column for each length, with the mixing factor included; rows beyond the length of the n-gram are zero.
_POWERS = np.array(
    [
        [_MIX * pow(_BASE, row, 1 << 32) % (1 << 32) if row < size else 0 for size in range(SHORTEST, LONGEST + 1)]
        for row in range(LONGEST)
    ],
    dtype=_CODE,
)
#: Code points, with one value for all digits.
_SIGNS = np.arange(0x110000, dtype=_CODE)
_SIGNS[ord("0") : ord("9") + 1] = ord("0")
#: Number of n-grams of all lengths that would run past the end of a text.
_OVER_END = _SIZES * (_SIZES - 1) // 2
_PADDING = "\0" * (LONGEST - SHORTEST)
_Ints = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float32]


def codes(text: str) -> _Ints:
    """Return the code points of a text, with one value for all digits."""
    return _SIGNS.take(np.frombuffer(text.encode("utf-32-le", "replace"), _CODE))


def _windows(text: str) -> _Ints:
    """Return buckets by position and n-gram length for the text, with a space added on either side.

    The last positions hold n-grams that run past the end. ``_ENDS`` masks them.
    """
    code_points = codes(f" {text} {_PADDING}")
    # Overlapping rows without a copy; ``as_strided`` would take longer than everything else here.
    hashes: _Ints = np.ndarray((len(text) + 1, LONGEST), _CODE, code_points, 0, (4, 4)) @ _POWERS
    hashes >>= _SHIFT
    return hashes


def buckets(text: str) -> _Ints:
    """Return the buckets (< ``BUCKETS``) of all n-grams of the text by length, including repeated ones.

    All digits count as the same character.
    """
    places = _windows(text)
    return np.concatenate([places[: max(0, len(places) - size), size] for size in range(_SIZES)])


def count(length: int) -> int:
    """Return the number of n-grams of a text of ``length`` characters."""
    places = length + 1
    return _SIZES * places - _OVER_END if places >= _SIZES else sum(max(0, places - size) for size in range(_SIZES))


def _ends(places: int) -> Weights:
    """Return a mask for ``places`` positions: one for each n-gram of the text, zero for those that run past its end."""
    mask = np.ones((places, _SIZES), dtype=np.float32)
    for size in range(1, _SIZES):
        mask[max(0, places - size) :, size] = 0
    return mask.ravel()


#: For text of up to this many positions, the end of a single prepared mask is used.
_PREPARED = 1024
_ENDS = _ends(_PREPARED)


def weigh(text: str, weights: Weights) -> float:
    """Return the sum of the weights (integers, one for each bucket) of all n-grams of the text.

    The sum is exact up to 2²⁴, which eight-bit weights can reach only in text of more than 30,000 characters.
    """
    gathered = weights.take(_windows(text)).ravel()
    places = len(text) + 1
    return float(gathered.dot(_ENDS[-len(gathered) :] if places <= _PREPARED else _ends(places)))


#: Spans of at least this length contain the longest n-gram that begins with the space before them.
_LONG_SPAN = LONGEST - 1


def weigh_each(text: str, spans: Sequence[tuple[int, int]], weights: Weights) -> list[float]:
    """Return the result of ``weigh`` for each span of the text.

    Weights are looked up once for the whole text, even where spans overlap, and added up as differences of cumulative
    sums. Only the n-grams that begin with the space before a span are computed separately for each span. The sums are
    integers in float64 and thus exact, so a text gets the same result alone and in a batch.
    """
    code_points = codes(f"{text}{_PADDING}")
    running = np.zeros((_SIZES, len(text) + 1))
    hashes = np.zeros(len(text), dtype=_CODE)
    for size in range(_SIZES):
        hashes += code_points[size : size + len(text)] * _POWERS[size, -1]
        np.cumsum(weights.take(hashes >> _SHIFT), dtype=np.float64, out=running[size, 1:])
    long_spans = np.array([span for span in spans if span[1] - span[0] >= _LONG_SPAN], dtype=np.intp).reshape(-1, 2)
    starts, ends = long_spans[:, :1], long_spans[:, 1:]
    sizes = np.arange(_SIZES)
    within = running[sizes, ends - sizes] - running[sizes, starts]
    spaces = np.full((len(starts), 1), ord(" "), dtype=_CODE)
    first = np.hstack([spaces, code_points[starts + np.arange(_LONG_SPAN)]]) @ _POWERS
    sums = iter((within + weights.take(first >> _SHIFT)).sum(axis=1).tolist())
    return [next(sums) if end - start >= _LONG_SPAN else weigh(text[start:end], weights) for start, end in spans]

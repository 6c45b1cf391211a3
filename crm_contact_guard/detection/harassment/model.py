"""The model of the harassment detector: character n-grams, with weights in ``weights/harassment.npz``.

It is trained by ``python -m training.train_harassment``. It finds wording that no pattern lists, but does not assign a
category.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection.text.ngrams import codes

#: Size and distance, in characters, of the windows in which longer text is evaluated, so that harmless text around an
#: insult does not dilute it.
WINDOW, STEP = 160, 40


BUCKETS = 1 << 15
#: Lengths of the n-grams; two kana or kanji carry as much as four Latin letters.
SIZES = (2, 3, 4)
#: Total weight of the n-grams of a text with at least ``FLOOR`` n-grams (about 80 characters). A shorter text weighs
#: less, so that three words do not flag it.
SCALE = 4.0
FLOOR = 240
_MULTIPLIER, _SEED = np.uint32(0x85EBCA6B), np.uint32(0x9E3779B1)
_FOLD, _SHIFT = np.uint32(15), np.uint32(17)
_PLACES = [np.uint32(2 * size + 1) for size in range(max(SIZES) + 1)]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by bucket, and the threshold (log odds) of a finding."""

    grams: npt.NDArray[np.float32]
    bias: float
    threshold: float
    version: str


@cache
def model() -> Model:
    """Return the shipped weights, which are read on first use and without pickle."""
    with (files("crm_contact_guard.detection") / "weights" / "harassment.npz").open("rb") as stream:
        data = np.load(stream, allow_pickle=False)
        return Model(
            data["grams"].astype(np.float32), float(data["bias"]), float(data["threshold"]), str(data["version"])
        )


def buckets(text: str) -> npt.NDArray[np.uint32]:
    """Return the buckets of all n-grams of a folded text with a space at either end, grouped by size as in ``SIZES``.

    All digits count as the same character. The weights depend on this rolling hash, so this module does not use the
    hash in ``text.ngrams``.
    """
    scattered = codes(f" {text} ") * _SEED
    parts = []
    rolled = scattered
    for size in range(2, max(SIZES) + 1):
        if len(scattered) < size:
            break
        rolled = rolled[:-1] * _MULTIPLIER
        rolled += scattered[size - 1 :] * _PLACES[size]
        rolled ^= rolled >> _FOLD
        parts.append(rolled >> _SHIFT)
    return np.concatenate(parts)


def share(count: int) -> float:
    """Return the factor applied to each of ``count`` n-grams."""
    return SCALE / math.sqrt(max(count, FLOOR))


def strongest(text: str) -> tuple[float, int, int]:
    """Return (log odds above the threshold, start, end) of the best-scoring window of a folded text.

    Takes time linear in the length of the text.
    """
    learned = model()
    hashed = buckets(text)
    weights = learned.grams.take(hashed)
    if len(text) <= WINDOW:
        return learned.bias + float(weights.sum()) * share(len(hashed)) - learned.threshold, 0, len(text)
    starts = np.append(np.arange(0, len(text) - WINDOW, STEP), len(text) - WINDOW)
    sums = np.zeros(len(starts))
    first = 0
    for size in SIZES:
        # buckets() returns the n-grams size by size, over the text with one space before and one after it
        length = len(text) + 2 - size + 1
        running = np.concatenate(([0.0], np.cumsum(weights[first : first + length], dtype=np.float64)))
        sums += running[np.minimum(starts + WINDOW + 2 - size + 1, length)] - running[starts]
        first += length
    count = sum(WINDOW + 2 - size + 1 for size in SIZES)
    best = int(np.argmax(sums))
    start = int(starts[best])
    return learned.bias + float(sums[best]) * share(count) - learned.threshold, start, start + WINDOW

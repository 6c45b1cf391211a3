"""The learned part of the harassment detector: character n-grams, weights in ``weights/harassment.npz``.

Made by ``python -m training.train_harassment``. It catches wordings no list foresees, and knows no category.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection.text.ngrams import codes

#: A longer text is weighed in windows, so that harmless words around cannot drown what is meant.
WINDOW, STEP = 160, 40


BUCKETS = 1 << 15
#: Lengths of the grams; in kana and kanji two characters say what four Latin letters do.
SIZES = (2, 3, 4)
#: How much the grams of a text weigh together, whatever its length above ``FLOOR`` grams (about 80 characters);
#: a shorter text says less, and must not be flagged for three words.
SCALE = 4.0
FLOOR = 240
_MULTIPLIER, _SEED = np.uint32(0x85EBCA6B), np.uint32(0x9E3779B1)
_FOLD, _SHIFT = np.uint32(15), np.uint32(17)
_PLACES = [np.uint32(2 * size + 1) for size in range(max(SIZES) + 1)]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by bucket, and the log odds from which a text counts."""

    grams: npt.NDArray[np.float32]
    bias: float
    threshold: float
    version: str


@cache
def model() -> Model:
    """The shipped weights, read at first use, without pickles."""
    with (files("crm_contact_guard.detection") / "weights" / "harassment.npz").open("rb") as stream:
        data = np.load(stream, allow_pickle=False)
        return Model(
            data["grams"].astype(np.float32), float(data["bias"]), float(data["threshold"]), str(data["version"])
        )


def buckets(text: str) -> npt.NDArray[np.uint32]:
    """Buckets of all n-grams of a folded text with a space at either end, size by size in the order of ``SIZES``.

    All digits are one sign. A rolling hash; weights are only good for the hash they were trained with, so this one is
    the module's own.
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
    """What each of ``count`` grams counts for."""
    return SCALE / math.sqrt(max(count, FLOOR))


def strongest(text: str) -> tuple[float, int, int]:
    """(log odds above the threshold, start, end) of the window of a folded text that weighs most. Linear in the text."""
    learned = model()
    hashed = buckets(text)
    weights = learned.grams.take(hashed)
    if len(text) <= WINDOW:
        return learned.bias + float(weights.sum()) * share(len(hashed)) - learned.threshold, 0, len(text)
    starts = np.append(np.arange(0, len(text) - WINDOW, STEP), len(text) - WINDOW)
    sums = np.zeros(len(starts))
    first = 0
    for size in SIZES:
        # buckets() gives the grams size by size, over the text with one space before and one after it
        length = len(text) + 2 - size + 1
        running = np.concatenate(([0.0], np.cumsum(weights[first : first + length], dtype=np.float64)))
        sums += running[np.minimum(starts + WINDOW + 2 - size + 1, length)] - running[starts]
        first += length
    count = sum(WINDOW + 2 - size + 1 for size in SIZES)
    best = int(np.argmax(sums))
    start = int(starts[best])
    return learned.bias + float(sums[best]) * share(count) - learned.threshold, start, start + WINDOW

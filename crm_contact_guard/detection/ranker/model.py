"""The ranker: a linear model over concepts, candidates and character n-grams.

``python -m training.train`` writes its weights to ``weights/ranker.npz``, which is read without pickle. Features are
matched by name, and names that are no longer in the packs are ignored, so the weights still work with an edited pack.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection.ranker.features import space
from crm_contact_guard.detection.text import ngrams

#: Log odds that are set by hand, because the training data doesn't say which contacts are the company's own.
DECIDED = {"own_contact": -3.5}


class Ranker:
    """The weights, with methods to apply them. ``grams`` are integers in units of ``step``."""

    def __init__(
        self, names: list[str], dense: list[float], grams: npt.NDArray[np.int8], step: float, bias: float, version: str
    ) -> None:
        known = dict(zip(names, dense, strict=True))
        self.learned = dense
        self.dense = [float(known.get(name, 0.0)) for name in space().names]
        for name, decided in DECIDED.items():
            self.dense[space().index[name]] += decided
        self.grams = grams
        self._weights = grams.astype(np.float32)
        self.step = step
        self.bias = bias
        self.version = version

    def logit(self, text: str, active: Sequence[int], grams: float | None = None) -> float:
        """Return the log odds that a folded text with the features ``active`` is an attempt.

        ``grams`` is the text's sum of n-gram weights, if it is already known.
        """
        if grams is None:
            grams = ngrams.weigh(text, self._weights)
        grams /= math.sqrt(ngrams.count(len(text)))
        return self.bias + sum(map(self.dense.__getitem__, active)) + self.step * grams

    def grams_of(self, text: str, spans: Sequence[tuple[int, int]]) -> list[float]:
        """Return the sum of n-gram weights for each span of a folded text, to be passed to ``logit``."""
        return ngrams.weigh_each(text, spans, self._weights)

    def contributions(self, active: Sequence[int], count: int = 8) -> list[tuple[str, float]]:
        """Return the ``count`` features with the largest absolute weights, as (name, weight)."""
        names = space().names
        weighed = sorted(((names[feature], self.dense[feature]) for feature in active), key=lambda pair: -abs(pair[1]))
        return weighed[:count]


def probability(logit: float) -> float:
    """Apply the logistic function without overflow at either end."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, logit))))


_loaded: list[Ranker] = []


def ranker() -> Ranker:
    """Return the shipped weights. They are read on first use."""
    if not _loaded:
        with (files("crm_contact_guard.detection") / "weights" / "ranker.npz").open("rb") as stream:
            data = np.load(stream, allow_pickle=False)
            _loaded.append(
                Ranker(
                    [str(name) for name in data["names"]],
                    [float(weight) for weight in data["dense"]],
                    data["grams"],
                    float(data["step"]),
                    float(data["bias"]),
                    str(data["version"]),
                )
            )
    return _loaded[0]

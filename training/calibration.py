"""Calibrates log odds learned from a corpus, in which half the lines are attempts, to real use, where hardly any are.

The slope comes from labelled lines (Platt scaling). The shift comes from real conversations, and is chosen so that only
a given share of harmless messages reaches even odds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

#: Share of harmless real messages that may reach even odds: half the documented rate, to leave a margin for other data.
FALSE_ALERTS = 0.0005
Scores = npt.NDArray[np.float64]


class Scale(NamedTuple):
    """Calibrated log odds are ``slope`` times the learned ones, plus ``shift``."""

    slope: float
    shift: float


NONE = Scale(1.0, 0.0)


def scale(odds: Scores, attempts: npt.NDArray[np.bool_], talk: Scores, false_alerts: float = FALSE_ALERTS) -> Scale:
    """Return the scale for the odds of labelled lines and of real, harmless messages.

    The odds must come from models that had not seen these lines and messages.
    """
    fitted = LogisticRegression(C=1e6).fit(odds[:, None], attempts)
    slope = float(fitted.coef_[0][0])
    if not len(talk):
        return Scale(slope, float(fitted.intercept_[0]))
    return Scale(slope, -slope * float(np.quantile(talk, 1 - false_alerts)))

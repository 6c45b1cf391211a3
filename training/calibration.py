"""Calibrates log odds: from a corpus in which every second line is an attempt to real use, where hardly any is.

The slope comes from labelled lines (Platt scaling), the shift from real conversations: it is chosen so that only a
given share of harmless messages reaches even odds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

#: Share of harmless real messages that may reach even odds. Half of the documented rate, as a margin for other data.
FALSE_ALERTS = 0.0005
Scores = npt.NDArray[np.float64]


class Scale(NamedTuple):
    """Calibrated log odds are ``slope`` times the learned ones, plus ``shift``."""

    slope: float
    shift: float


NONE = Scale(1.0, 0.0)


def scale(odds: Scores, attempts: npt.NDArray[np.bool_], talk: Scores, false_alerts: float = FALSE_ALERTS) -> Scale:
    """The scale, from the odds of labelled lines and of real, harmless messages by models that had not seen them."""
    fitted = LogisticRegression(C=1e6).fit(odds[:, None], attempts)
    slope = float(fitted.coef_[0][0])
    if not len(talk):
        return Scale(slope, float(fitted.intercept_[0]))
    return Scale(slope, -slope * float(np.quantile(talk, 1 - false_alerts)))

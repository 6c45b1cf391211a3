"""Proportions with confidence intervals, and the exact bound on what was missed. Pure.

* Wilson's interval: E. B. Wilson, JASA 22 (1927), 209-212.
* The exact interval: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413.
* With unequal chances: E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998), 193-201, the exact interval for an
  effective number of cases, here that of L. Kish (Survey Sampling, 1965): the squared sum of weights divided by the
  sum of squared weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, lgamma, log, log1p, sqrt
from typing import Final

#: The normal deviate of a 95 % interval.
_Z: Final = 1.959964
#: With fewer cases, the output warns of small numbers.
SMALL: Final = 30
#: Steps that halve an interval until it is smaller than a float's resolution.
_HALVINGS: Final = 60
_TINY: Final = 1e-300


@dataclass(frozen=True)
class Share:
    """``part`` of ``whole`` cases."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The proportion; 0 without cases."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Wilson's 95 % interval; (0, 1) without cases."""
        if not self.whole:
            return 0.0, 1.0
        squared = _Z * _Z
        middle = (self.part + squared / 2) / (self.whole + squared)
        half = _Z * sqrt(self.part * (self.whole - self.part) / self.whole + squared / 4) / (self.whole + squared)
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def small(self) -> bool:
        """Whether there are too few cases to draw a conclusion."""
        return self.whole < SMALL


@dataclass(frozen=True)
class Missed:
    """What a random sample says about all cases that nobody was warned of.

    ``read`` and ``missed`` are counts of the sample. ``share`` is Hájek's estimate, the weighted proportion.
    ``effective`` is Kish's number of cases; ``at_most`` the upper bound with 95 % confidence, 1 without cases.
    """

    read: int
    missed: int
    share: float
    effective: float
    at_most: float


def missed_share(cases: Iterable[tuple[float, bool]]) -> Missed:
    """Return the bound reached.

    A case consists of its chance of being drawn (above 0, at most 1), and whether it was missed.

    Raise ValueError for another chance.
    """
    weights, found = [], []
    for chance, is_missed in cases:
        if not 0 < chance <= 1:
            raise ValueError(f"{chance} is no chance of being drawn")
        weights.append(1 / chance)
        if is_missed:
            found.append(1 / chance)
    if not weights:
        return Missed(0, 0, 0.0, 0.0, 1.0)
    share = sum(found) / sum(weights)
    effective = sum(weights) ** 2 / sum(weight * weight for weight in weights)
    return Missed(len(weights), len(found), share, effective, exact_upper(share * effective, effective))


def exact_upper(part: float, whole: float, confidence: float = 0.95) -> float:
    """Return Clopper and Pearson's one-sided upper bound for ``part`` of ``whole``; neither has to be an integer."""
    if whole <= 0 or part >= whole:
        return 1.0
    low, high = part / whole, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if beta_cumulated(middle, part + 1, whole - part) < confidence:
            low = middle
        else:
            high = middle
    return high


def beta_cumulated(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function (DLMF 8.17.22, evaluated by Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cumulated(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    upper, lower = 1.0, 1 - (a + b) * x / (a + 1)
    lower = 1 / (lower if abs(lower) > _TINY else _TINY)
    total = lower
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            lower = 1 + term * lower
            lower = 1 / (lower if abs(lower) > _TINY else _TINY)
            upper = 1 + term / upper
            upper = upper if abs(upper) > _TINY else _TINY
            change = upper * lower
            total *= change
        if abs(change - 1) < 1e-14:
            break
    return front * total

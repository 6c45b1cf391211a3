"""Proportions with confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

#: The normal deviate of a 95 % interval.
_Z: Final = 1.959964
#: With fewer cases, the output warns of small numbers.
SMALL: Final = 30


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

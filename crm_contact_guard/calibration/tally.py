"""Counts the alerts at each threshold, by direction, in constant memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final
from uuid import UUID

from crm_contact_guard.calibration.reading import Judged, JudgedAlert

#: Resolution of the counted scores.
_PARTS: Final = 1000


@dataclass
class Scores:
    """A histogram of scores, by thousandths."""

    counts: list[int] = field(default_factory=lambda: [0] * (_PARTS + 1))

    def add(self, score: float) -> None:
        self.counts[_part(score)] += 1

    @property
    def total(self) -> int:
        return sum(self.counts)

    def reaching(self, threshold: float) -> int:
        """Return the number of scores at or above the threshold."""
        return sum(self.counts[_part(threshold) :])


@dataclass
class Tally:
    """The counts for one direction. ``alerts[i]`` is the number of alerts that ``grid[i]`` would have opened."""

    grid: Sequence[float]
    window: timedelta
    messages: Scores = field(default_factory=Scores)
    true: Scores = field(default_factory=Scores)
    false: Scores = field(default_factory=Scores)
    conversations: int = 0
    alerts: list[int] = field(default_factory=list)
    _conversation: UUID | None = None
    _open_until: list[datetime | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alerts = [0] * len(self.grid)

    def add(self, judged: Judged) -> None:
        """Count a message.

        The messages of a conversation must be added consecutively, oldest first, because an alert covers a time window.
        """
        message = judged.message
        if message.conversation_id != self._conversation:
            self._conversation = message.conversation_id
            self.conversations += 1
            self._open_until = [None] * len(self.grid)
        self.messages.add(judged.score)
        for place, threshold in enumerate(self.grid):
            if _part(judged.score) < _part(threshold):
                break  # the grid is in ascending order
            until = self._open_until[place]
            if until is None or message.occurred_at >= until:
                self.alerts[place] += 1
                self._open_until[place] = message.occurred_at + self.window

    def judge(self, alert: JudgedAlert) -> None:
        """Count a reviewed alert."""
        (self.true if alert.true else self.false).add(alert.score)

    def noticed(self, threshold: float, alert: float) -> int:
        """Return the number of messages noticed without an alert."""
        return max(0, self.messages.reaching(threshold) - self.messages.reaching(alert))


def grid(*own: float) -> list[float]:
    """Return the thresholds to try: multiples of 0.05, and the current thresholds."""
    steps = [round(step, 4) for step in accumulate([0.05] * 19)]
    return sorted({*steps, *(round(score, 4) for score in own)})


def _part(score: float) -> int:
    return min(_PARTS, max(0, int(score * _PARTS + 1e-6)))

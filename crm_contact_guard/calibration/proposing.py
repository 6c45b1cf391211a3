"""Proposes thresholds, and shows the alerts and false alarms that each threshold would have caused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crm_contact_guard.calibration.tally import Tally
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.policy.thresholds import Thresholds
from crm_contact_guard.supervision.quality.intervals import SMALL, Share

#: Proportion of true alerts that a proposed threshold must keep.
KEEP: Final = 0.95
#: How many messages in a thousand may be noticed. Nobody reads the notes if there are too many.
NOTICED_OF_1000: Final = 20
#: With fewer false alarms, another threshold has no benefit.
_FALSE: Final = 5
#: With fewer messages, too few are noticed to choose a threshold.
_MESSAGES: Final = 1000


class Why(StrEnum):
    """Why a threshold is proposed."""

    TOO_FEW = "too_few"
    BEST_AS_IT_IS = "best_as_it_is"
    SPARES = "spares"


@dataclass(frozen=True)
class Cost:
    """The effect that an alert threshold would have had."""

    threshold: float
    #: Alerts, as a share of the messages of this direction.
    alerts: Share
    conversations: int
    #: True alerts that would still have been raised.
    kept: Share
    #: False alarms that would not have been raised.
    avoided: Share

    @property
    def per_100_conversations(self) -> float:
        return 100 * self.alerts.part / self.conversations if self.conversations else 0.0


@dataclass(frozen=True)
class Proposal:
    """The current and proposed thresholds for one direction, and the cost of every threshold that was tried."""

    direction: Direction
    now: Thresholds
    proposed: Thresholds
    why: Why
    costs: tuple[Cost, ...]
    #: Messages noticed without an alert: with the current thresholds, and with the proposed ones.
    noticed_now: Share
    noticed_proposed: Share
    judged: int

    @property
    def small(self) -> bool:
        """Whether too few alerts were reviewed to draw a conclusion."""
        return self.judged < SMALL

    def cost(self, threshold: float) -> Cost:
        return next(cost for cost in self.costs if cost.threshold == round(threshold, 4))


def propose(direction: Direction, tally: Tally, now: Thresholds) -> Proposal:
    """Choose thresholds from the tally.

    The alert threshold is never lower than the current one, because only messages that caused alerts were reviewed.
    """
    now = Thresholds(round(now.alert, 4), round(now.noticed, 4))
    costs = tuple(_cost(tally, place) for place in range(len(tally.grid)))
    alert, why = _alert(costs, tally, now.alert)
    proposed = Thresholds(alert, _noticed(tally, alert, now.noticed))
    total = tally.messages.total
    return Proposal(
        direction=direction,
        now=now,
        proposed=proposed,
        why=why,
        costs=costs,
        noticed_now=Share(tally.noticed(now.noticed, now.alert), total),
        noticed_proposed=Share(tally.noticed(proposed.noticed, proposed.alert), total),
        judged=tally.true.total + tally.false.total,
    )


def _cost(tally: Tally, place: int) -> Cost:
    threshold = tally.grid[place]
    false = tally.false.total
    return Cost(
        threshold=threshold,
        alerts=Share(tally.alerts[place], tally.messages.total),
        conversations=tally.conversations,
        kept=Share(tally.true.reaching(threshold), tally.true.total),
        avoided=Share(false - tally.false.reaching(threshold), false),
    )


def _alert(costs: tuple[Cost, ...], tally: Tally, now: float) -> tuple[float, Why]:
    if tally.true.total + tally.false.total < SMALL or tally.false.total < _FALSE:
        return now, Why.TOO_FEW
    current = next(cost for cost in costs if cost.threshold == now)
    # Of the thresholds that keep enough true alerts, take the one that avoids the most false alarms. If several do,
    # take the lowest.
    minimum = KEEP * current.kept.part
    suitable = [cost for cost in costs if cost.threshold >= now and cost.kept.part >= minimum]
    best = max(suitable, key=lambda cost: (cost.avoided.part, -cost.threshold))
    if best.avoided.part <= current.avoided.part:
        return now, Why.BEST_AS_IT_IS
    return best.threshold, Why.SPARES


def _noticed(tally: Tally, alert: float, now: float) -> float:
    if tally.messages.total < _MESSAGES:
        return min(now, alert)
    maximum = NOTICED_OF_1000 * tally.messages.total / 1000
    suitable = [
        threshold for threshold in tally.grid if threshold <= alert and tally.noticed(threshold, alert) <= maximum
    ]
    return suitable[0] if suitable else alert

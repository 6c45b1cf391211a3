"""Which thresholds to take, and what they would have cost and spared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crm_contact_guard.calibration.shares import SMALL, Share
from crm_contact_guard.calibration.tally import Tally
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.policy.thresholds import Thresholds

#: So much of the alerts that people found true a proposed threshold must keep.
KEEP: Final = 0.95
#: So many of a thousand messages may be noticed: what stands beside too many messages is read by nobody.
NOTICED_OF_1000: Final = 20
#: Below so many false alarms there is nothing to win that is worth a threshold of one's own.
_FALSE: Final = 5
#: Below so many messages the noticed are too few to count.
_MESSAGES: Final = 1000


class Why(StrEnum):
    """Why a threshold is proposed."""

    TOO_FEW = "too_few"
    BEST_AS_IT_IS = "best_as_it_is"
    SPARES = "spares"


@dataclass(frozen=True)
class Cost:
    """What one alert threshold would have meant."""

    threshold: float
    #: Alerts, of the messages of this direction.
    alerts: Share
    conversations: int
    #: Of the alerts that people found true, those that would still have come.
    kept: Share
    #: Of the false alarms, those that would not have come.
    avoided: Share

    @property
    def per_100_conversations(self) -> float:
        return 100 * self.alerts.part / self.conversations if self.conversations else 0.0


@dataclass(frozen=True)
class Proposal:
    """Thresholds for one direction: those in force, those proposed, and the cost of each that was tried."""

    direction: Direction
    now: Thresholds
    proposed: Thresholds
    why: Why
    costs: tuple[Cost, ...]
    #: Messages that are noticed and warn nobody, with the thresholds in force and with those proposed.
    noticed_now: Share
    noticed_proposed: Share
    judged: int

    @property
    def small(self) -> bool:
        """Whether too few alerts were judged to conclude from."""
        return self.judged < SMALL

    def cost(self, threshold: float) -> Cost:
        return next(cost for cost in self.costs if cost.threshold == round(threshold, 4))


def propose(direction: Direction, tally: Tally, now: Thresholds) -> Proposal:
    """Choose thresholds from what was counted. Never below those in force: what warned nobody, nobody has judged."""
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
    own = next(cost for cost in costs if cost.threshold == now)
    # Of those that keep what was true, the one that spares most; of equals the lowest, which finds most.
    least = KEEP * own.kept.part
    fit = [cost for cost in costs if cost.threshold >= now and cost.kept.part >= least]
    best = max(fit, key=lambda cost: (cost.avoided.part, -cost.threshold))
    if best.avoided.part <= own.avoided.part:
        return now, Why.BEST_AS_IT_IS
    return best.threshold, Why.SPARES


def _noticed(tally: Tally, alert: float, now: float) -> float:
    if tally.messages.total < _MESSAGES:
        return min(now, alert)
    most = NOTICED_OF_1000 * tally.messages.total / 1000
    fit = [threshold for threshold in tally.grid if threshold <= alert and tally.noticed(threshold, alert) <= most]
    return fit[0] if fit else alert

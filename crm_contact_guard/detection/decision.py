"""From signals to a probability: how the quick scan, the talk and the encoder are weighed together.

``weights/decision.json`` holds three small logistic models: without the encoder, with it for a message alone, and with it for
one in its talk, which explains much that sounds like an attempt. Probabilities are calibrated to life
rather than to a corpus in which every second line is an attempt: on ordinary talk with one attempt in a hundred
conversations, a message at ``ALERT`` is as likely an attempt as not, and at most one harmless message in a thousand reaches
it. Written by ``python -m training.train_decision``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from crm_contact_guard.detection.types import Company, Direction, Tier

#: From this probability a message warns somebody, and from that it is noticed, unless the company says otherwise.
ALERT, NOTICED = 0.5, 0.3
#: Log odds beyond which a signal says no more. That the encoder sees nothing counts for less: it is sure of it too often.
LIMIT, NOTHING_SEEN = 8.0, -6.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability a message warns somebody, and from which it is noticed."""

    alert: float
    noticed: float

    def tier(self, score: float) -> Tier:
        """The tier of a probability."""
        if score >= self.alert:
            return Tier.ALERT
        return Tier.NOTICED if score >= self.noticed else Tier.NONE


def thresholds(direction: Direction, company: Company) -> Thresholds:
    """The thresholds for one side, as the company chose them."""
    alert = ALERT if company.threshold is None else company.threshold
    noticed = NOTICED if company.noticed is None else company.noticed
    alert = (company.threshold_by_direction or {}).get(direction, alert)
    noticed = (company.noticed_by_direction or {}).get(direction, noticed)
    return Thresholds(alert, min(alert, noticed))


#: The signals that are weighed, the encoder's last.
NAMES = ("alone", "inbound", "joined", "assembled", "answers", "accepts", "presses", "deep")


class Signals(NamedTuple):
    """What is known of a message in its talk; every number stands for messages that can be named.

    ``alone`` the quick scan's log odds; ``inbound`` 1 for a customer's message; ``joined`` the log odds of an identifier
    that several messages make together, 0 without one; ``assembled`` 1 where digits of several messages make a phone
    number; ``answers`` how likely the other side had asked for what this message gives; ``accepts`` how likely the other
    side had proposed what it takes up; ``presses`` how likely it repeats what the other side has refused; ``deep`` the
    encoder's log odds, None without it; ``within`` whether anything was said before.
    """

    alone: float
    inbound: float = 0.0
    joined: float = 0.0
    assembled: float = 0.0
    answers: float = 0.0
    accepts: float = 0.0
    presses: float = 0.0
    deep: float | None = None
    within: bool = False

    @property
    def stage(self) -> str:
        """Which of the models weighs them."""
        if self.deep is None:
            return "quick"
        return "talk" if self.within else "deep"

    def numbers(self) -> tuple[float, ...]:
        """The model's inputs, each within its limit."""
        numbers = [max(-LIMIT, min(LIMIT, getattr(self, name) or 0.0)) for name in NAMES]
        return (*numbers[:-1], max(NOTHING_SEEN, numbers[-1]))


@dataclass(frozen=True, slots=True)
class Decision:
    """The learned numbers by stage, and those that weigh harassment with the encoder."""

    weights: Mapping[str, Mapping[str, float]]
    harassment: Mapping[str, float]
    version: str


@lru_cache(maxsize=1)
def decision() -> Decision:
    """The shipped numbers."""
    data = json.loads((files("crm_contact_guard.detection") / "weights" / "decision.json").read_text("utf-8"))
    return Decision(data["weights"], data["harassment"], data["version"])


def odds(signals: Signals) -> float:
    """Log odds that the message is an attempt."""
    weights = decision().weights[signals.stage]
    named = zip(NAMES, signals.numbers(), strict=True)
    total = weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in named)
    # Below even odds the scale has a slope of its own, so that NOTICED is the same share of harmless messages in each stage.
    return total if total >= 0 else total * weights.get("below", 1.0)


def probability(signals: Signals) -> float:
    """How likely the message is an attempt."""
    return logistic(odds(signals))


def logistic(log_odds: float) -> float:
    """The logistic function, safe at both ends."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))

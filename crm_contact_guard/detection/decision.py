"""Combines the quick scan, the conversation and the encoder into one probability.

``weights/decision.json``, written by ``python -m training.train_decision``, contains three small logistic models:

* one without the encoder;
* one with the encoder for a single message;
* one with the encoder for a message in its conversation, whose context makes many suspicious messages harmless.

Probabilities are calibrated to real use, with one attempt in a hundred conversations, and not to a corpus in which half
the lines are attempts. A message that scores ``ALERT`` is an attempt with probability .5, and at most one harmless
message in a thousand scores that high.
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

#: The lowest probabilities at which a message is an alert or is noticed, unless the company sets others.
ALERT, NOTICED = 0.5, 0.3
#: Log odds (nine in ten) from which the quick scan's alert stands even if the encoder disagrees, because the encoder is
#: then wrong two times out of three.
SURE = 2.2
#: Signals are clipped to ± ``LIMIT`` (log odds). The encoder is overconfident about harmless messages, so its signal
#: has a lower limit of its own.
LIMIT, NOTHING_SEEN = 8.0, -6.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which a message is an alert, and from which it is noticed."""

    alert: float
    noticed: float

    def tier(self, score: float) -> Tier:
        """Return the tier of a probability."""
        if score >= self.alert:
            return Tier.ALERT
        return Tier.NOTICED if score >= self.noticed else Tier.NONE


def thresholds(direction: Direction, company: Company) -> Thresholds:
    """Return the thresholds for one direction, as set by the company."""
    alert = ALERT if company.threshold is None else company.threshold
    noticed = NOTICED if company.noticed is None else company.noticed
    alert = (company.threshold_by_direction or {}).get(direction, alert)
    noticed = (company.noticed_by_direction or {}).get(direction, noticed)
    return Thresholds(alert, min(alert, noticed))


#: The signals of the model, the encoder's last.
NAMES = ("alone", "inbound", "joined", "assembled", "answers", "accepts", "presses", "deep")


class Signals(NamedTuple):
    """The signals for one message. Signals from the conversation are based on specific messages.

    * ``alone``: log odds from the quick scan.
    * ``inbound``: 1 for a customer's message.
    * ``joined``: log odds for an identifier that spans several messages, else 0.
    * ``assembled``: 1 if digits from several messages form a phone number.
    * ``answers``: probability that the other side asked for the identifier in this message.
    * ``accepts``: probability that the other side proposed what this message accepts.
    * ``presses``: probability that this message repeats what the other side refused.
    * ``deep``: log odds from the encoder, ``None`` without it.
    * ``within``: whether there are earlier messages.
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
        """The name of the model to use."""
        if self.deep is None:
            return "quick"
        return "talk" if self.within else "deep"

    def numbers(self) -> tuple[float, ...]:
        """Return the inputs of the model, each clipped to its limit."""
        numbers = [max(-LIMIT, min(LIMIT, getattr(self, name) or 0.0)) for name in NAMES]
        return (*numbers[:-1], max(NOTHING_SEEN, numbers[-1]))


@dataclass(frozen=True, slots=True)
class Decision:
    """The weights of each stage, and those that combine harassment patterns with the encoder."""

    weights: Mapping[str, Mapping[str, float]]
    harassment: Mapping[str, float]
    version: str


@lru_cache(maxsize=1)
def decision() -> Decision:
    """Return the shipped weights."""
    data = json.loads((files("crm_contact_guard.detection") / "weights" / "decision.json").read_text("utf-8"))
    return Decision(data["weights"], data["harassment"], data["version"])


def odds(signals: Signals) -> float:
    """Return the log odds that the message is an attempt. The encoder doesn't overrule a confident quick scan."""
    total = _weighed(signals, signals.stage)
    if signals.stage != "quick":
        total = max(total, _weighed(signals, "quick") - SURE)
    # Below even odds, each stage has its own slope, so that NOTICED is the same share of harmless messages in each one.
    return total if total >= 0 else total * decision().weights[signals.stage].get("below", 1.0)


def _weighed(signals: Signals, stage: str) -> float:
    weights = decision().weights[stage]
    return weights["bias"] + sum(weights.get(name, 0.0) * n for name, n in zip(NAMES, signals.numbers(), strict=True))


def probability(signals: Signals) -> float:
    """Return the probability that the message is an attempt."""
    return logistic(odds(signals))


def logistic(log_odds: float) -> float:
    """Apply the logistic function without overflow at either end."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))

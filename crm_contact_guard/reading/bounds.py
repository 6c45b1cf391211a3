"""Limits per industry on what the second reader's answer may change, and the decision. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crm_contact_guard.detection.types import Tier


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits on the score from the first stages, 0…1.

    ``promote_from`` is the minimum score at which a noticed message may become an alert. An alert with a score below
    ``demote_below`` may become noticed. None means never.
    """

    promote_from: float | None
    demote_below: float | None

    def may_promote(self, score: float) -> bool:
        return self.promote_from is not None and score >= self.promote_from

    def may_demote(self, score: float) -> bool:
        return self.demote_below is not None and score < self.demote_below


#: Lower than the score of an obvious attempt (.85), so that a model never decides about obvious attempts.
_UNSURE: Final = 0.75
_BOTH: Final = Bounds(promote_from=0.0, demote_below=_UNSURE)
#: Where a missed attempt costs more than a false alarm, the reader may only add alerts.
_ADDS_ONLY: Final = Bounds(promote_from=0.0, demote_below=None)

PRESETS: Final[dict[str, Bounds]] = {
    "general": _BOTH,
    "hospitality": _BOTH,
    "sales": _BOTH,
    "overseas_shop": _BOTH,
    "healthcare": _ADDS_ONLY,
    "finance": _ADDS_ONLY,
}


def decide(first_tier: Tier, score: float, attempt: bool | None, bounds: Bounds, *, may_trust_no: bool = True) -> Tier:
    """Return the tier after the second reading.

    ``attempt`` is the reader's answer, or None if there was no valid answer, in which case the tier doesn't change.
    ``may_trust_no`` is False if a "no" must be ignored because a message addressed the reader, or because the reader
    didn't see all the evidence.
    """
    if attempt is None:
        return first_tier
    if attempt and first_tier is Tier.NOTICED and bounds.may_promote(score):
        return Tier.ALERT
    if not attempt and first_tier is Tier.ALERT and may_trust_no and bounds.may_demote(score):
        return Tier.NOTICED
    return first_tier

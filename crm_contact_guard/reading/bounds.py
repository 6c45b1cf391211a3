"""What an answer of the second reader may change: data per industry, and the one decision made from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crm_contact_guard.detection.types import Tier


@dataclass(frozen=True, slots=True)
class Bounds:
    """Scores are those of the first stages, 0…1.

    ``promote_from``: from this score on, what was noticed may become an alert; None: never. ``demote_below``: below
    this score an alert may become noticed; None: never.
    """

    promote_from: float | None
    demote_below: float | None

    def may_promote(self, score: float) -> bool:
        return self.promote_from is not None and score >= self.promote_from

    def may_demote(self, score: float) -> bool:
        return self.demote_below is not None and score < self.demote_below


#: Below what the threads call plain (.85), so that what anybody would see at once is never left to a model.
_UNSURE: Final = 0.75
_BOTH: Final = Bounds(promote_from=0.0, demote_below=_UNSURE)
#: Where an attempt that nobody sees costs more than an alert too many, the reader only adds.
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
    """The tier after the second reading.

    ``attempt``: what the reader says; None: nothing that counts, so that the first stages stand. ``may_trust_no``:
    False where a "no" is worth nothing, since a message spoke to the reader or it did not see all the evidence.
    """
    if attempt is None:
        return first_tier
    if attempt and first_tier is Tier.NOTICED and bounds.may_promote(score):
        return Tier.ALERT
    if not attempt and first_tier is Tier.ALERT and may_trust_no and bounds.may_demote(score):
        return Tier.NOTICED
    return first_tier

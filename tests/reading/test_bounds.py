"""Limits on the effect of an answer."""

from __future__ import annotations

import pytest

from crm_contact_guard.detection.types import Tier
from crm_contact_guard.policy import presets
from crm_contact_guard.reading.bounds import PRESETS, Bounds, decide

BOTH = Bounds(promote_from=0.3, demote_below=0.7)
NEITHER = Bounds(promote_from=None, demote_below=None)


@pytest.mark.parametrize(
    ("first", "score", "attempt", "bounds", "tier"),
    [
        ("noticed", 0.3, True, BOTH, "alert"),
        ("noticed", 0.29, True, BOTH, "noticed"),
        ("noticed", 0.5, True, NEITHER, "noticed"),
        ("noticed", 0.5, False, BOTH, "noticed"),
        ("alert", 0.69, False, BOTH, "noticed"),
        ("alert", 0.7, False, BOTH, "alert"),
        ("alert", 0.5, False, NEITHER, "alert"),
        ("alert", 0.5, True, BOTH, "alert"),
        ("alert", 0.5, None, BOTH, "alert"),
        ("noticed", 0.5, None, BOTH, "noticed"),
        ("none", 0.5, True, BOTH, "none"),
    ],
)
def test_an_answer_changes_the_tier_only_within_the_bounds(
    first: str, score: float, attempt: bool | None, bounds: Bounds, tier: str
) -> None:
    assert decide(Tier(first), score, attempt, bounds) == tier


def test_an_untrusted_no_does_not_demote_but_a_yes_promotes() -> None:
    assert decide(Tier.ALERT, 0.5, False, BOTH, may_trust_no=False) is Tier.ALERT
    assert decide(Tier.NOTICED, 0.5, True, BOTH, may_trust_no=False) is Tier.ALERT


def test_every_industry_has_bounds_and_finance_never_demotes() -> None:
    assert set(PRESETS) == set(presets.INDUSTRIES)
    assert not PRESETS["finance"].may_demote(0.0)
    assert PRESETS["finance"].may_promote(0.0)
    assert not PRESETS["general"].may_demote(0.9)

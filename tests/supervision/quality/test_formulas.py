"""The formulas, against worked examples."""

from __future__ import annotations

import pytest

from crm_contact_guard.supervision.quality.agreement import agreement
from crm_contact_guard.supervision.quality.hashing import bound_of, chance_of
from crm_contact_guard.supervision.quality.intervals import Share, beta_cumulated, exact_upper, missed_share


def test_wilson_and_the_exact_interval_give_published_values() -> None:
    # Wilson: statsmodels' proportion_confint at these counts.
    wilson = {
        (0, 5): (0, 0.4345),
        (3, 5): (0.2307, 0.8824),
        (47, 50): (0.8378, 0.9794),
        (50, 50): (0.9287, 1),
        (0, 300): (0, 0.0126),
    }
    for counts, bounds in wilson.items():
        assert Share(*counts).bounds == pytest.approx(bounds, abs=5e-5)
    # Clopper and Pearson's two-sided 95 % interval; 10 of 100 is the textbook's .0490 to .1762.
    assert exact_upper(0, 5, 0.975) == pytest.approx(0.5218, abs=5e-5)
    assert exact_upper(0, 300, 0.975) == pytest.approx(0.0122, abs=5e-5)
    assert exact_upper(10, 100, 0.975) == pytest.approx(0.1762, abs=5e-5)
    assert 1 - exact_upper(90, 100, 0.975) == pytest.approx(0.0490, abs=5e-5)
    assert beta_cumulated(0.5, 2, 3) == pytest.approx(11 / 16)


def test_the_bound_of_what_was_missed() -> None:
    # None missed in 299, 59 and 2,995 bound the share at 1 %, 5 % and 0.1 %.
    for size, bound in ((299, 0.01), (59, 0.05), (2995, 0.001)):
        assert missed_share([(0.02, False)] * size).at_most == pytest.approx(bound, rel=0.01)
        assert missed_share([(0.02, False)] * size).at_most < 3 / size, "the rule of three is a little above"

    # 90 cases stand for 9,000 conversations and 10 for 20: the one that was missed among the 10 counts for two.
    found = missed_share([(0.01, False)] * 90 + [(0.5, False)] * 9 + [(0.5, True)])
    assert found.share == pytest.approx(2 / 9020)
    assert found.effective == pytest.approx(9020**2 / (90 * 100**2 + 10 * 2**2))
    assert found.share < found.at_most < 0.04

    assert missed_share([]).at_most == 1.0
    with pytest.raises(ValueError, match="chance"):
        missed_share([(0.0, False)])
    assert chance_of(bound_of(0.05)) == pytest.approx(0.05)
    assert (chance_of(bound_of(0)), chance_of(bound_of(1))) == (0, 1)


def test_agreement_does_not_fall_because_one_answer_is_rare() -> None:
    rare = [("no", "no")] * 95 + [("no", "yes")] * 2 + [("yes", "no")] * 3
    even = [("yes", "yes")] * 45 + [("yes", "no")] * 5 + [("no", "yes")] * 5 + [("no", "no")] * 45
    answers = ("yes", "no")

    assert agreement(rare, answers).same == Share(95, 100)
    assert agreement(rare, answers).ac1 == pytest.approx(0.947, abs=5e-4)
    assert agreement(even, answers).ac1 == pytest.approx(0.80)
    assert agreement([("no", "no")] * 3, answers).ac1 == 1.0
    assert agreement([], answers).ac1 is None

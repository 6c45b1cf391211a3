"""Pay cuts by the Labour Standards Act: the examples of its sources, and a second calculation, yen by yen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_contact_guard.supervision.cases import pay_cut
from crm_contact_guard.supervision.cases.pay_cut import Cut, InvalidPayCut, average_wage, days_of_three_months, plan


def cuts(*yen: int) -> list[Cut]:
    return [Cut(incident=f"incident {number}", yen=one) for number, one in enumerate(yen)]


def test_the_example_of_300_000_yen_a_month() -> None:
    average = average_wage(900_000, 92)

    assert int(average) == 9_782
    assert pay_cut.limit_per_incident(average) == 4_891
    assert plan(cuts(4_891), average, [300_000]).is_lawful
    assert plan(cuts(4_892), average, [300_000]).excesses[0].limit == 4_891


def test_ten_percent_for_three_months_is_unlawful_for_one_incident() -> None:
    thrice = [Cut(incident="the same", yen=30_000)] * 3

    found = plan(thrice, average_wage(900_000, 92), [300_000])

    assert not found.is_lawful
    assert [excess.limit for excess in found.excesses] == [4_891, 0, 0]
    assert not found.instalments


def test_an_incident_is_cut_once_even_by_little() -> None:
    twice = [Cut(incident="the same", yen=1)] * 2

    assert not plan(twice, average_wage(900_000, 92), [300_000]).is_lawful


def test_several_incidents_on_a_day_have_half_a_day_each_and_the_rest_moves_on() -> None:
    """Ten incidents at 4,891 yen are 48,910 yen, and a tenth of the month's wages is 30,000 yen."""
    found = plan(cuts(*[4_891] * 10), average_wage(900_000, 92), [300_000])

    assert [one.yen for one in found.instalments] == [30_000, 18_910]
    assert found.is_lawful


def test_absence_lowers_the_tenth_of_the_period() -> None:
    found = plan(cuts(4_891), average_wage(900_000, 92), [20_000, 300_000])

    assert [(one.yen, one.limit) for one in found.instalments] == [(2_000, 2_000), (2_891, 30_000)]


def test_earlier_cuts_of_a_period_count() -> None:
    found = plan(cuts(4_000), average_wage(900_000, 92), [300_000], already=[28_000])

    assert [one.yen for one in found.instalments] == [2_000, 2_000]


def test_without_wages_nothing_can_be_cut() -> None:
    found = plan(cuts(100), average_wage(900_000, 92), [0])

    assert not found.is_lawful
    assert found.rest == 100


def test_pay_by_the_day_has_a_floor_of_sixty_percent() -> None:
    """36 days at 10,000 yen: 3,913 yen by calendar days, 6,000 yen by the floor."""
    assert average_wage(360_000, 92, days_worked=36) == 6_000
    assert average_wage(360_000, 92) == Fraction(360_000, 92)


@pytest.mark.parametrize(
    ("closing", "days"),
    [
        (date(2026, 8, 31), 92),
        (date(2026, 4, 30), 89),
        (date(2026, 5, 31), 92),
        (date(2026, 2, 28), 90),
        (date(2024, 2, 29), 91),
        (date(2026, 3, 25), 90),
        (date(2026, 1, 20), 92),
    ],
)
def test_days_of_the_three_months(closing: date, days: int) -> None:
    assert days_of_three_months(closing) == days


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("wages", lambda: average_wage(-1, 92)),
        ("calendar_days", lambda: average_wage(1, 0)),
        ("days_worked", lambda: average_wage(1, 92, days_worked=93)),
        ("periods", lambda: plan(cuts(1), Fraction(10), [])),
        ("periods", lambda: plan(cuts(1), Fraction(10), [-1])),
        ("already", lambda: plan(cuts(1), Fraction(10), [1], [-1])),
        ("cuts", lambda: plan([], Fraction(10), [1])),
        ("cuts", lambda: plan(cuts(0), Fraction(10), [1])),
    ],
)
def test_senseless_figures_are_named(field: str, call: Callable[[], object]) -> None:
    with pytest.raises(InvalidPayCut) as refused:
        call()

    assert refused.value.field == field


@given(
    wages=st.integers(0, 30_000),
    days=st.integers(1, 92),
    asked=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 120)), min_size=1, max_size=6),
    periods=st.lists(st.integers(0, 1_000), min_size=1, max_size=4),
    already=st.lists(st.integers(0, 120), max_size=3),
)
def test_a_second_calculation_yen_by_yen_agrees(
    wages: int, days: int, asked: list[tuple[int, int]], periods: list[int], already: list[int]
) -> None:
    given_cuts = [Cut(incident=str(incident), yen=yen) for incident, yen in asked]
    found = plan(given_cuts, average_wage(wages, days), periods, already)

    times = Counter(incident for incident, _yen in asked)
    # Half of wages / days, without fractions.
    unlawful = any(2 * yen * days > wages for _incident, yen in asked) or max(times.values()) > 1
    assert bool(found.excesses) is unlawful
    if unlawful:
        return
    taken = [0] * pay_cut.MOST_PERIODS
    left = 0
    for _ in range(sum(yen for _incident, yen in asked)):
        for number in range(pay_cut.MOST_PERIODS):
            before = already[number] if number < len(already) else 0
            if 10 * (before + taken[number] + 1) <= periods[min(number, len(periods) - 1)]:
                taken[number] += 1
                break
        else:
            left += 1
    assert [one.yen for one in found.instalments] + [0] * (len(taken) - len(found.instalments)) == taken
    assert found.rest == left

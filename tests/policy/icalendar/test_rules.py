"""Recurrence rules drawn at random, expanded alike by the product and by dateutil."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr

from crm_contact_guard.policy.icalendar.lines import Property
from crm_contact_guard.policy.icalendar.recurrence import WEEKDAYS, Budget, read_rule


def drawn(pick: random.Random) -> str:
    frequency = pick.choice(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
    parts = [f"FREQ={frequency}"]
    if pick.random() < 0.5:
        parts.append(f"INTERVAL={pick.choice((1, 2, 3, 5))}")
    if pick.random() < 0.3:
        parts.append(f"COUNT={pick.choice((1, 3, 20, 200))}")
    if pick.random() < 0.3:
        parts.append(f"WKST={pick.choice(WEEKDAYS)}")
    if pick.random() < 0.3:
        parts.append("BYMONTH=" + ",".join(map(str, pick.sample(range(1, 13), pick.choice((1, 4, 8))))))
    if pick.random() < 0.5:
        days = pick.sample(WEEKDAYS, pick.choice((1, 2, 5)))
        numbered = frequency in ("MONTHLY", "YEARLY") and pick.random() < 0.5
        parts.append("BYDAY=" + ",".join(f"{pick.choice((1, 2, -1, 5)) if numbered else ''}{day}" for day in days))
    if frequency != "WEEKLY" and pick.random() < 0.3:
        parts.append("BYMONTHDAY=" + ",".join(map(str, pick.sample((1, 2, 13, 28, 29, 30, 31, -1, -2), 2))))
    # In a week, dateutil counts the positions from the rule's first day on, RFC 5545 from the beginning of the week.
    has_days = frequency in ("MONTHLY", "YEARLY") and any(part.startswith("BYDAY") for part in parts)
    if has_days and pick.random() < 0.4:
        parts.append(f"BYSETPOS={pick.choice(('1', '-1', '1,-1', '2'))}")
    return ";".join(parts)


@pytest.mark.parametrize("seed", range(40))
def test_both_agree(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(20):
        start = date(2024, 1, 1) + timedelta(days=pick.randrange(900))
        first = date(2026, 1, 1) + timedelta(days=pick.randrange(200))
        last = first + timedelta(days=400)
        text = drawn(pick)

        found = list(read_rule(Property("RRULE", {}, text, 1), start).days(first, last, Budget()))

        begins, ends = (datetime.combine(day, datetime.min.time()) for day in (first, last))
        theirs = rrulestr(text, dtstart=datetime.combine(start, datetime.min.time())).between(begins, ends, inc=True)
        assert found == [each.date() for each in theirs], (text, start, first)


def test_positions_count_in_whole_weeks() -> None:
    """The week's first chosen day, Monday, lies before the rule's first day, a Wednesday."""
    rule = read_rule(Property("RRULE", {}, "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1,-1", 1), date(2026, 5, 6))

    found = rule.days(date(2026, 5, 1), date(2026, 5, 15), Budget())

    assert [day.isoformat() for day in found] == ["2026-05-08", "2026-05-11", "2026-05-15"]

"""Cases drawn at random, answered alike by the product and by an engine that shares no code with it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crm_contact_guard.policy.working_time.case import read, written
from tests.policy.working_time.minute_engine import WEEKDAYS, Engine

CASES = 320
ZONES = ("Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago")
#: Around clock changes of 2026, around holidays, and an ordinary week.
WEEKS = ("2026-03-05", "2026-03-27", "2026-04-02", "2026-04-30", "2026-07-15", "2026-09-04", "2026-10-23", "2026-10-30")


def drawn(number: int) -> dict[str, Any]:
    """One case; the same number gives the same case."""
    pick = random.Random(number)
    start = date.fromisoformat(pick.choice(WEEKS))
    near = [(start + timedelta(days=step)).isoformat() for step in range(-2, 8)]
    employee: dict[str, Any] = {
        "zone": pick.choice(ZONES),
        # A day that always opens, so that an answer lies within the table.
        "weekly": {day: _spans(pick) for day in WEEKDAYS if pick.random() < 0.75} | {"wed": [["09:00", "17:00"]]},
        "holidays": pick.choice(([], ["JP"], ["GB-ENG"], ["JP", "GB-ENG"])),
    }
    extras: dict[str, Any] = {
        "breaks": {day: [_span(pick, 30, 90)] for day in WEEKDAYS},
        "roster": {"from": near[1], "to": near[5], "days": {day: _spans(pick) for day in near[1:6:2]}},
        "leave": [[near[3], near[4]]],
        "leave_parts": [[pick.choice(near), *_span(pick, 60, 400)]],
        "on_call": [[f"{near[4]}T{_clock(pick)}", f"{near[5]}T{_clock(pick)}"]],
        "open": pick.sample(near, 2),
        "closed": pick.sample(near, 2),
    }
    employee |= {name: value for name, value in extras.items() if pick.random() < 0.4}
    sent_at = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(minutes=pick.randrange(5 * 1440))
    customer = {"zone": pick.choice(ZONES), "quiet": [["21:00", "08:00"]]} | (
        {"quiet_days": ["sun"], "quiet_holidays": ["JP"]} if pick.random() < 0.3 else {}
    )
    talk = [
        [
            pick.choice(("customer", "employee")),
            (sent_at - timedelta(minutes=pick.choice((5, 30, 31, 700, 720, 721, 2000)) * back)).isoformat(),
        ]
        for back in range(pick.randrange(4))
    ]
    return {
        "employee": employee,
        "customer": customer if pick.random() < 0.6 else None,
        "talk": talk,
        "sent_at": sent_at.isoformat().replace("+00:00", "Z"),
        "emergency": pick.random() < 0.1,
    }


def _clock(pick: random.Random) -> str:
    return f"{pick.randrange(24):02}:{pick.choice((0, 0, 30, 59)):02}"


def _span(pick: random.Random, least: int, most: int) -> list[str]:
    start = pick.randrange(0, 1440, 15)
    end = (start + pick.randrange(least, most)) % 1440
    return [f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}"]


def _spans(pick: random.Random) -> list[list[str]]:
    kind = pick.random()
    if kind < 0.2:
        return [["10:00", "14:00"], ["17:00", "22:00"]]
    if kind < 0.4:
        return [["22:00", "06:00"]]
    if kind < 0.5:
        return [["00:00", "24:00"]]
    if kind < 0.6:
        return [["02:30", "09:00"], ["12:00", "01:30"]]
    return [_span(pick, 60, 900)]


@pytest.mark.parametrize("number", range(CASES))
def test_both_engines_agree(number: int) -> None:
    case = drawn(number)
    engine = Engine(case)

    found: dict[str, Any] = written(read(case).answer())
    expected: dict[str, Any] = engine.answer()

    for name in ("next_open_at", "quiet_ends_at", "earliest_send_at"):
        if min(found[name] or "none", expected[name] or "none") > engine.end:  # digits come before letters
            found[name] = expected[name] = None
    assert found == expected

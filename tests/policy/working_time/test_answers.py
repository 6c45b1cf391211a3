"""Quiet hours, who wrote first, emergencies, and the first minute that suits both."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.working_time.test_states import TOKYO, answered

ANGELES = {"zone": "America/Los_Angeles", "quiet": [["21:00", "08:00"]]}


def test_both_are_reachable_only_when_neither_sleeps() -> None:
    found = answered(TOKYO, "2026-07-15T04:00:00Z", customer=ANGELES)  # 21:00 in Los Angeles

    assert found["quiet_applies"] is True
    assert found["quiet_ends_at"] == "2026-07-15T15:00:00Z"
    assert found["earliest_send_at"] == "2026-07-16T00:00:00Z"  # after quiet hours Tokyo is closed


def test_a_customer_who_is_never_reachable_while_the_employee_works() -> None:
    customer = {"zone": "Asia/Tokyo", "quiet": [["08:00", "19:00"]]}

    assert answered(TOKYO, "2026-07-15T04:00:00Z", customer=customer)["earliest_send_at"] is None


def test_quiet_days_join_quiet_nights() -> None:
    customer = {
        "zone": "Asia/Tokyo",
        "quiet": [["21:00", "08:00"]],
        "quiet_days": ["sat", "sun"],
        "quiet_holidays": ["JP"],
    }

    found = answered(TOKYO, "2026-07-17T13:00:00Z", customer=customer)  # Friday 22:00, before Marine Day on Monday

    assert found["quiet_ends_at"] == "2026-07-20T23:00:00Z"


@pytest.mark.parametrize(
    ("talk", "first_by", "minutes", "quick"),
    [
        pytest.param([], "employee", None, False, id="nobody wrote before"),
        pytest.param([["customer", "2026-07-15T13:10:00Z"]], "customer", 30, True, id="half an hour ago"),
        pytest.param([["customer", "2026-07-15T13:09:59Z"]], "customer", 30, False, id="a second longer"),
        pytest.param([["customer", "2026-07-10T01:00:00Z"]], "customer", 7960, False, id="who waits keeps the talk"),
        pytest.param(
            [["customer", "2026-07-14T01:00:00Z"], ["employee", "2026-07-14T02:00:00Z"]],
            "employee",
            2200,
            False,
            id="an answered talk ends after twelve hours",
        ),
        pytest.param(
            [["customer", "2026-07-15T01:00:00Z"], ["employee", "2026-07-15T01:40:00Z"]],
            "customer",
            760,
            False,
            id="exactly twelve hours are no end",
        ),
        pytest.param(
            [["employee", "2026-07-15T12:00:00Z"], ["customer", "2026-07-15T13:30:00Z"]],
            "employee",
            10,
            True,
            id="a reply",
        ),
        pytest.param(
            [["customer", "2026-07-15T14:00:00Z"]], "employee", None, False, id="what comes later does not count"
        ),
    ],
)
def test_the_talk(talk: list[list[str]], first_by: str, minutes: int | None, quick: bool) -> None:
    found = answered(
        TOKYO, "2026-07-15T13:40:00Z", talk=talk, customer={"zone": "Asia/Tokyo", "quiet": [["21:00", "08:00"]]}
    )

    assert (found["first_by"], found["minutes_since_customer"], found["quick_answer"]) == (first_by, minutes, quick)
    assert found["quiet_applies"] is not quick


def test_an_emergency_goes_at_once() -> None:
    found = answered(
        TOKYO, "2026-07-15T14:00:00Z", customer={"zone": "Asia/Tokyo", "quiet": [["21:00", "08:00"]]}, emergency=True
    )

    assert found["state"] == "off"
    assert (found["after_hours"], found["quiet_applies"], found["next_open_at"]) == (False, False, None)
    assert found["earliest_send_at"] == "2026-07-15T14:00:00Z"


def test_a_break_is_no_reason_to_wait() -> None:
    found: dict[str, Any] = answered(TOKYO | {"breaks": {"wed": [["12:00", "13:00"]]}}, "2026-07-15T03:30:00Z")

    assert found["earliest_send_at"] == "2026-07-15T03:30:00Z"

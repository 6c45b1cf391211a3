"""What a minute is: each rule of precedence, clock changes, and the next opening."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard.policy.working_time.case import read, written

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
TOKYO = {"zone": "Asia/Tokyo", "weekly": {day: [["09:00", "18:00"]] for day in WEEKDAYS}, "holidays": ["JP"]}
NIGHT = {"zone": "Asia/Tokyo", "weekly": {day: [["22:00", "07:00"]] for day in WEEKDAYS}, "holidays": ["JP"]}


def answered(employee: dict[str, Any], at: str, **more: Any) -> dict[str, object]:
    return written(read({"employee": employee, "sent_at": at, **more}).answer())


@pytest.mark.parametrize(
    ("employee", "at", "state", "next_open"),
    [
        pytest.param(TOKYO, "2026-07-15T00:00:00Z", "working", None, id="nine o'clock is the first minute"),
        pytest.param(TOKYO, "2026-07-14T23:59:59Z", "off", "2026-07-15T00:00:00Z", id="a second before nine"),
        pytest.param(TOKYO, "2026-07-15T09:00:00Z", "off", "2026-07-16T00:00:00Z", id="six o'clock is over"),
        pytest.param(TOKYO, "2026-07-20T03:00:00Z", "holiday", "2026-07-21T00:00:00Z", id="Marine Day"),
        pytest.param(
            TOKYO | {"closed": ["2026-07-20"]},
            "2026-07-20T03:00:00Z",
            "holiday",
            "2026-07-21T00:00:00Z",
            id="holiday before closed",
        ),
        pytest.param(
            TOKYO | {"closed": ["2026-07-15"]}, "2026-07-15T03:00:00Z", "closed", "2026-07-16T00:00:00Z", id="closed"
        ),
        pytest.param(TOKYO | {"open": ["2026-07-20"]}, "2026-07-20T03:00:00Z", "working", None, id="open on a holiday"),
        pytest.param(
            TOKYO | {"open": ["2026-07-20"]},
            "2026-07-20T10:00:00Z",
            "off",
            "2026-07-21T00:00:00Z",
            id="the evening of a holiday on which the company opens",
        ),
        pytest.param(
            TOKYO | {"open": ["2026-07-15"], "leave": [["2026-07-15", "2026-07-15"]]},
            "2026-07-15T03:00:00Z",
            "leave",
            "2026-07-16T00:00:00Z",
            id="leave before open",
        ),
        pytest.param(
            TOKYO
            | {"roster": {"from": "2026-07-01", "to": "2026-07-31", "days": {"2026-07-16": [["12:00", "21:00"]]}}},
            "2026-07-15T03:00:00Z",
            "off",
            "2026-07-16T03:00:00Z",
            id="a day that the roster leaves out",
        ),
        pytest.param(
            TOKYO | {"roster": {"from": "2026-07-20", "to": "2026-07-20", "days": {}}},
            "2026-07-20T03:00:00Z",
            "off",
            "2026-07-21T00:00:00Z",
            id="a roster replaces the holiday",
        ),
        pytest.param(
            NIGHT | {"leave": [["2026-07-16", "2026-07-16"]]},
            "2026-07-16T20:00:00Z",
            "off",
            "2026-07-17T13:00:00Z",
            id="leave removes the whole night, past midnight",
        ),
        pytest.param(
            NIGHT | {"leave": [["2026-07-16", "2026-07-16"]]},
            "2026-07-15T20:00:00Z",
            "working",
            None,
            id="the night before reaches into a day of leave",
        ),
        pytest.param(
            TOKYO | {"leave_parts": [["2026-07-15", "13:00", "18:00"]]},
            "2026-07-15T04:00:00Z",
            "leave",
            "2026-07-16T00:00:00Z",
            id="an afternoon off",
        ),
        pytest.param(
            TOKYO | {"breaks": {"wed": [["12:00", "13:00"]]}},
            "2026-07-15T03:30:00Z",
            "break",
            "2026-07-15T04:00:00Z",
            id="a break",
        ),
        pytest.param(
            TOKYO | {"breaks": {"sat": [["12:00", "13:00"]]}},
            "2026-07-18T03:30:00Z",
            "off",
            "2026-07-21T00:00:00Z",
            id="a break outside all shifts is none",
        ),
        pytest.param(
            TOKYO | {"leave": [["2026-07-15", "2026-07-15"]], "on_call": [["2026-07-15T12:00", "2026-07-15T24:00"]]},
            "2026-07-15T14:59:00Z",
            "on_call",
            None,
            id="on call over leave",
        ),
        pytest.param(
            {"zone": "Asia/Tokyo", "weekly": {"sat": [["00:00", "24:00"]]}},
            "2026-07-18T14:59:00Z",
            "working",
            None,
            id="the last minute of a whole day",
        ),
        pytest.param(
            {"zone": "Asia/Tokyo", "leave": [["2026-01-01", "2026-12-31"]]},
            "2026-07-15T03:00:00Z",
            "leave",
            None,
            id="never",
        ),
        # Clock changes. New York 2026: 02:00 becomes 03:00 on 8 March, 02:00 becomes 01:00 on 1 November.
        pytest.param(
            {"zone": "America/New_York", "weekly": {"sun": [["01:00", "02:30"]]}},
            "2026-03-08T06:59:00Z",
            "working",
            None,
            id="an end that is skipped: the last minute before the change",
        ),
        pytest.param(
            {"zone": "America/New_York", "weekly": {"sun": [["01:00", "02:30"]]}},
            "2026-03-08T07:00:00Z",
            "off",
            "2026-03-15T05:00:00Z",
            id="an end that is skipped: the change itself",
        ),
        pytest.param(
            {"zone": "America/New_York", "weekly": {"sun": [["01:30", "03:00"]]}},
            "2026-11-01T05:30:00Z",
            "working",
            None,
            id="a start that comes twice is the first",
        ),
        pytest.param(
            {"zone": "America/New_York", "weekly": {"sun": [["01:30", "03:00"]]}},
            "2026-11-01T06:10:00Z",
            "working",
            None,
            id="01:10 the second time, after a start at the first 01:30",
        ),
        pytest.param(
            {"zone": "Australia/Lord_Howe", "weekly": {"sun": [["02:10", "05:00"]]}},
            "2026-10-03T15:30:00Z",
            "working",
            None,
            id="a change of half an hour",
        ),
        pytest.param(
            {"zone": "Pacific/Apia", "weekly": {"thu": [["22:00", "06:00"]]}},
            "2011-12-30T10:00:00Z",
            "off",
            "2012-01-05T08:00:00Z",
            id="a Friday that Samoa skipped ends the night shift",
        ),
    ],
)
def test_states(employee: dict[str, Any], at: str, state: str, next_open: str | None) -> None:
    found = answered(employee, at)

    assert (found["state"], found["next_open_at"]) == (state, next_open)
    assert found["after_hours"] is (state not in ("working", "on_call", "break"))


@pytest.mark.parametrize(
    ("code", "at", "state"),
    [
        ("GB", "2026-04-06T10:00:00Z", "working"),
        ("GB-ENG", "2026-04-06T10:00:00Z", "holiday"),
        ("AU-NSW", "2026-10-05T02:00:00Z", "holiday"),
        ("DE-BY", "2026-06-04T10:00:00Z", "holiday"),
        ("DE", "2026-06-04T10:00:00Z", "working"),
    ],
)
def test_holidays_of_a_part_of_a_country(code: str, at: str, state: str) -> None:
    always = {"zone": "UTC", "weekly": {day: [["00:00", "24:00"]] for day in WEEKDAYS}, "holidays": [code]}

    assert answered(always, at)["state"] == state

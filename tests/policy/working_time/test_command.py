"""``python -m crm_contact_guard.policy``: order, bad values, words, and that it needs no Django."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from crm_contact_guard.policy.__main__ import main
from tests.policy.working_time.test_states import TOKYO

CASE = {"id": "one", "employee": TOKYO, "sent_at": "2026-07-15T03:00:00Z"}


def run(*lines: str, arguments: tuple[str, ...] = ("--jsonl",)) -> int:
    return main(list(arguments), io.StringIO("\n".join(lines)))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"employee": {**TOKYO, "weekly": {"mon": [["09:00", "18:00"], ["25:00", "26:00"]]}}},
            "employee.weekly.mon[1][0]",
        ),
        ({"employee": {**TOKYO, "weekly": {"mon": [["24:00", "02:00"]]}}}, "employee.weekly.mon[0][0]"),
        ({"employee": {**TOKYO, "weekly": {"Monday": []}}}, "employee.weekly.Monday"),
        ({"employee": {**TOKYO, "breaks": {"mon": [["12:00"]]}}}, "employee.breaks.mon[0]"),
        ({"employee": {**TOKYO, "zone": "Asia/Nowhere"}}, "employee.zone"),
        ({"employee": {**TOKYO, "zone": "../etc/passwd"}}, "employee.zone"),
        ({"employee": {**TOKYO, "holidays": ["JP", "XX"]}}, "employee.holidays[1]"),
        ({"employee": {**TOKYO, "holidays": ["GB-XYZ"]}}, "employee.holidays[0]"),
        ({"employee": {**TOKYO, "holidays": ["jp"]}}, "employee.holidays[0]"),
        ({"employee": {**TOKYO, "leave": [["2026-07-15", "2026-07-14"]]}}, "employee.leave[0][1]"),
        ({"employee": {**TOKYO, "open": ["15 July"]}}, "employee.open[0]"),
        ({"employee": {**TOKYO, "leave_parts": [["2026-07-15", "09:60", "10:00"]]}}, "employee.leave_parts[0][1]"),
        ({"employee": {**TOKYO, "on_call": [["2026-07-15T09:00Z", "2026-07-15T10:00"]]}}, "employee.on_call[0][0]"),
        ({"employee": {**TOKYO, "roster": {"from": "1990-01-01", "to": "1989-01-01"}}}, "employee.roster.to"),
        (
            {"employee": {**TOKYO, "roster": {"from": "2026-01-01", "to": "2026-02-01", "days": {"x": []}}}},
            "employee.roster.days",
        ),
        ({"employee": None}, "employee"),
        ({"customer": {"zone": 9}}, "customer.zone"),
        ({"customer": {"zone": "Asia/Tokyo", "quiet_days": ["someday"]}}, "customer.quiet_days[0]"),
        ({"talk": [["boss", "2026-07-15T03:00:00Z"]]}, "talk[0][0]"),
        ({"talk": [["customer", "2026-07-15T03:00:00"]]}, "talk[0][1]"),
        ({"sent_at": "2026-07-15"}, "sent_at"),
        ({"emergency": "no"}, "emergency"),
    ],
)
def test_a_bad_value_is_named_with_its_path(
    change: dict[str, Any], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(json.dumps(CASE), json.dumps({**CASE, **change}), json.dumps({**CASE, "id": "three"})) == 1

    printed = capsys.readouterr()
    assert printed.err.startswith(f"line 2: {path}:")
    assert [json.loads(line)["id"] for line in printed.out.splitlines()] == ["one", "three"]


def test_it_explains_which_rule_decided(capsys: pytest.CaptureFixture[str]) -> None:
    rostered = {**TOKYO, "roster": {"from": "2026-07-01", "to": "2026-07-31", "days": {}}}

    assert run(json.dumps({**CASE, "employee": rostered}), arguments=("--jsonl", "--explain")) == 0
    assert run(json.dumps({**CASE, "employee": rostered}), arguments=("--explain",)) == 0

    printed = capsys.readouterr().out
    assert printed.count("2026-07-15 follows the roster") == 2


def test_a_year_without_data_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(json.dumps({**CASE, "sent_at": "2150-07-15T03:00:00Z"}), arguments=("--explain",)) == 0

    assert "no data for JP in 2150" in capsys.readouterr().out


def test_it_needs_no_django() -> None:
    code = (
        "import sys; sys.modules['django'] = None\n"
        "from crm_contact_guard.policy.__main__ import main\n"
        "raise SystemExit(main(['--jsonl']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(CASE), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["state"] == "working"

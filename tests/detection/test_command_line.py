"""The command line: verdicts in order, errors reported, company files read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crm_contact_guard.detection.company_rules.file import CompanyFileError, company_from, read_company


def run(*arguments: str, lines: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "crm_contact_guard.detection", *arguments],
        input=lines.encode("utf-8", "surrogatepass"),
        capture_output=True,
        check=False,
    )


def verdicts(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_verdicts_keep_the_order_and_invalid_lines_are_reported() -> None:
    lines = "\n".join(
        (
            json.dumps({"id": "a", "text": "個人のLINE交換しませんか", "direction": "inbound", "unknown": 1}),
            "{broken",
            json.dumps(
                {
                    "id": "b",
                    "messages": [
                        {"direction": "inbound", "text": "Hello"},
                        {"direction": "outbound", "text": "Good morning"},
                    ],
                }
            ),
            json.dumps({"id": "c", "direction": "inbound"}),
            json.dumps({"id": "d", "text": "\ud800", "direction": "inbound"}),
        )
    )
    done = run("--jsonl", lines=lines)
    assert done.returncode == 1
    answered = verdicts(done)
    assert [verdict["id"] for verdict in answered] == ["a", "b", "d"]
    first = answered[0]
    assert set(first) == {"id", "attempt", "tier", "by", "stance", "at", "findings"}
    assert (first["attempt"], first["tier"]) == (True, "alert")
    assert first["by"] == "customer"
    assert set(first["findings"][0]) == {"kind", "start", "end", "text", "score", "detector", "version"}
    errors = done.stderr.decode()
    assert "line 2" in errors
    assert "line 4" in errors


def test_findings_of_a_thread_name_their_message() -> None:
    line = json.dumps(
        {
            "id": "t",
            "messages": [
                {"direction": "outbound", "text": "ご来店ありがとうございました"},
                {"direction": "outbound", "text": "私の個人のLINEは tori_masa99 です。店には内緒で。"},
            ],
        }
    )
    verdict = verdicts(run("--jsonl", lines=line))[0]
    assert verdict["attempt"]
    assert verdict["at"] == 1
    assert {finding["message"] for finding in verdict["findings"]} == {1}


def test_company_file(tmp_path: Path) -> None:
    file = tmp_path / "company.toml"
    file.write_text('handles = ["tori_masa99"]\n', "utf-8")
    line = json.dumps({"id": 1, "text": "私の個人のLINEは tori_masa99 です", "direction": "outbound"})
    assert verdicts(run("--jsonl", lines=line))[0]["attempt"]
    assert not verdicts(run("--jsonl", "--company", str(file), lines=line))[0]["attempt"]


def test_invalid_company_file_is_reported_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "company.toml"
    file.write_text('handels = ["x"]\n', "utf-8")
    done = run("--jsonl", "--company", str(file))
    assert done.returncode == 2
    assert b"handels" in done.stderr
    with pytest.raises(CompanyFileError):
        read_company(str(tmp_path / "absent.toml"))
    with pytest.raises(CompanyFileError):
        company_from({"phones": "03-1234-5678"})


def test_explain() -> None:
    done = run("--explain", "私のLINEに直接どうぞ：tori_masa99", "--language", "ja")
    assert done.returncode == 0
    assert "tori_masa99" in done.stdout.decode()


def test_wrong_usage() -> None:
    assert run().returncode == 2

"""``manage.py replay FILE``: threads through the gateway, one verdict per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.demo.conftest import Demo


def line(name: str, *messages: tuple[str, str, float], **more: Any) -> dict[str, Any]:
    said = [{"direction": who, "minutes_after_previous": minutes, "text": text} for who, text, minutes in messages]
    return {"id": name, "messages": said, **more}


OFFER = line(
    "offer",
    ("inbound", "明日の朝食は何時からですか？", 0),
    ("outbound", "7時からでございます。", 4),
    ("outbound", "よろしければ私のLINEを追加してください。IDは misaki_a0815 です。", 2),
    lang="ja",
    label="attempt",
)
CALM = line("calm", ("inbound", "Is the pool open?", 0), ("outbound", "Yes, from seven to nine.", 3), lang="en")
NIGHT = line("night", ("inbound", "Good evening.", 0), ("outbound", "Good evening, madam.", 14 * 60), lang="en")


def write(folder: Path, *lines: dict[str, Any] | str) -> str:
    path = folder / "threads.jsonl"
    text = "\n".join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in lines)
    path.write_text(text + "\n", encoding="utf-8")
    return str(path)


def verdicts(output: str) -> list[dict[str, Any]]:
    return [json.loads(row) for row in output.splitlines()]


def test_one_verdict_per_thread_in_the_order_of_the_file(demo: Demo, tmp_path: Path) -> None:
    done = demo.manage("replay", write(tmp_path, OFFER, CALM, NIGHT), "--jsonl")

    assert done.returncode == 0, done.stderr
    assert verdicts(done.stdout) == [
        {"id": "offer", "attempt": True, "by": "employee", "at": 2},
        {"id": "calm", "attempt": False, "by": None, "at": None},
        # The answer at midnight is an after-hours alert, but no attempt.
        {"id": "night", "attempt": False, "by": None, "at": None},
    ]


def test_it_can_be_repeated_and_starts_at_ten_on_the_next_working_day(demo: Demo, tmp_path: Path) -> None:
    path = write(tmp_path, OFFER)
    first, second = demo.manage("replay", path, "--jsonl"), demo.manage("replay", path, "--jsonl")

    assert first.stdout == second.stdout
    told = json.loads(
        demo.ask(
            "import json\n"
            "from django.utils import timezone\n"
            "from crm_contact_guard.record.models import Conversation, Message\n"
            "from crm_contact_guard.policy import hours\n"
            "talk = Conversation.objects.filter(subject='Replay offer').latest('created_at')\n"
            "said = talk.messages.order_by('occurred_at')\n"
            "times = [m.occurred_at.astimezone(hours.zone(talk.employee)) for m in said]\n"
            "day = hours.next_working_day(talk.employee, timezone.now())\n"
            "print(json.dumps([[t.strftime('%H:%M') for t in times], all(t.date() == day for t in times)]))"
        )
    )
    assert told == [["10:00", "10:04", "10:06"], True]


def test_without_jsonl_the_output_is_for_people(demo: Demo, tmp_path: Path) -> None:
    done = demo.manage("replay", write(tmp_path, OFFER, CALM))

    assert done.returncode == 0
    assert "offer: alert, by the employee, at message 2: よろしければ私のLINE" in done.stdout
    assert "calm: no attempt" in done.stdout
    assert "2 conversations replayed, 1 with an attempt, 0 lines not replayed" in done.stdout


def test_invalid_lines_are_reported_and_the_others_replayed(demo: Demo, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        CALM,
        '{"id": "cut off", "messages": [',
        "",
        '["no", "object"]',
        '{"id": "nothing said", "messages": []}',
        line("sideways", ("sideways", "Hello", 0)),
        line("backwards", ("inbound", "Hello", -5)),
        line("empty", ("outbound", "  ", 0)),
        OFFER,
    )
    done = demo.manage("replay", path, "--jsonl")

    assert done.returncode == 1
    assert [verdict["id"] for verdict in verdicts(done.stdout)] == ["calm", "offer"]
    told = done.stderr.splitlines()
    assert [words.split(":")[0] for words in told] == [f"line {number}" for number in (2, 4, 5, 6, 7, 8)]
    assert "not JSON" in told[0]
    assert '"messages"' in told[2]
    assert "sideways" in told[3]
    assert "minutes_after_previous" in told[4]
    assert "empty" in told[5]


def test_a_missing_file_and_an_unknown_login_are_reported(demo: Demo, tmp_path: Path) -> None:
    missing = demo.manage("replay", str(tmp_path / "none.jsonl"))
    assert missing.returncode == 2
    assert "none.jsonl" in missing.stderr
    unknown = demo.manage("replay", write(tmp_path, CALM), "--employee", "nobody")
    assert unknown.returncode == 1
    assert "nobody" in unknown.stderr

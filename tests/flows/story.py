"""Reads stories: who wrote what when, and what happened. ``stories/<industry>_<language>.txt`` explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent / "stories"
#: The week in which all stories happen. Monday is 30 November 2026.
_DAYS = {
    day: index
    for days in ("Mon Tue Wed Thu Fri Sat Sun", "月 火 水 木 金 土 日")
    for index, day in enumerate(days.split())
}
_WORDS = {
    "sent": "deliver",
    "asked": "nudge",
    "stopped": "block",
    "later": "schedule",
    "held": "hold",
    "送信": "deliver",
    "確認": "nudge",
    "送信不可": "block",
    "予約": "schedule",
    "上司確認": "hold",
    "none": "",
    "なし": "",
    "私的な連絡": "off_channel",
    "時間外": "after_hours",
    "個人情報": "sensitive_data",
    "お客様": "customer",
    "従業員": "employee",
}
_LINE = re.compile(r"(\S+) (\d\d:\d\d) (.+?)(?: \((\w+)\))?: (.*?)(?: -> (\S+)(?: \(([\w, ]+)\))?)?")
_OUT = re.compile(r"(\S+) (\d\d:\d\d) (?:goes out|送信される)")
_ALERT = re.compile(r"(?:Alert|アラート): (\S+)(?: by)?(?: (\S+))?")


@dataclass(frozen=True)
class Step:
    """One message. ``action`` and ``reasons`` are None for a customer's. ``code``: emergency, or why it goes anyway."""

    at: datetime
    by_customer: bool
    text: str
    code: str = ""
    action: str = ""
    reasons: tuple[str, ...] = ()
    #: The message that waited goes out at this time; nobody writes.
    goes_out: bool = False


@dataclass
class Story:
    title: str
    steps: list[Step] = field(default_factory=list)
    alerts: set[tuple[str, str]] = field(default_factory=set)


def stories(name: str) -> list[Story]:
    """The stories of a file. A line that nobody can read raises ValueError."""
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    people = dict(line.split(": ", 1) for line in lines[:2])
    return list(_read(lines[2:], people["customer"], people["employee"]))


def _read(lines: list[str], customer: str, employee: str) -> Iterator[Story]:
    story: Story | None = None
    for line in filter(str.strip, lines):
        if line.startswith("## "):
            if story is not None:
                yield story
            story = Story(line.removeprefix("## "))
        elif story is None:
            raise ValueError(f"Not within a story: {line}")
        elif match := _ALERT.fullmatch(line):
            if topic := _WORDS.get(match[1], match[1]):
                story.alerts.add((topic, _WORDS.get(match[2], match[2])))
        elif match := _OUT.fullmatch(line):
            story.steps.append(Step(_at(match[1], match[2]), by_customer=False, text="", goes_out=True))
        elif match := _LINE.fullmatch(line):
            day, clock, who, code, text, word, reasons = match.groups()
            if who not in (customer, employee) or (who == employee) is not bool(word):
                raise ValueError(f"Unknown person, or no outcome: {line}")
            told = tuple((reasons or "").split(", ")) if reasons else ()
            story.steps.append(
                Step(_at(day, clock), who == customer, text, code or "", _WORDS[word] if word else "", told)
            )
        else:
            raise ValueError(f"Unreadable: {line}")
    if story is not None:
        yield story


def _at(day: str, clock: str) -> datetime:
    monday = datetime(2026, 11, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    return datetime.combine(monday + timedelta(days=_DAYS[day]), time.fromisoformat(clock), tzinfo=monday.tzinfo)

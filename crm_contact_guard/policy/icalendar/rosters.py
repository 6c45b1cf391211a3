"""Turns the events of a file into an employee's calendar: shifts, leave and on-call duty, by the employee's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_contact_guard.policy.icalendar.events import Occurrence, occurrences
from crm_contact_guard.policy.icalendar.lines import BadCalendar, parse
from crm_contact_guard.policy.icalendar.recurrence import Budget
from crm_contact_guard.policy.icalendar.zones import Zones

_DAY: Final = timedelta(days=1)
#: Days that are read before and after the first of this month. If the days counted from today, an endless rule would
#: make another calendar every day.
BEFORE, AHEAD = 31, 397


@dataclass(frozen=True)
class Words:
    """Words that tell what an event is: one of its categories, or part of its summary. Others aren't working time."""

    leave: tuple[str, ...] = ("leave", "vacation", "day off", "休暇", "有休", "年休", "代休", "公休")
    on_call: tuple[str, ...] = ("on call", "on-call", "オンコール", "待機")
    shift: tuple[str, ...] = ("shift", "duty", "シフト", "勤務", "日勤", "夜勤", "早番", "中番", "遅番")

    def kind(self, event: Occurrence) -> str:
        """Return ``leave``, ``on_call`` or ``shift``; empty if the event is none of them."""
        categories = {one.casefold() for one in event.categories}
        summary = event.summary.casefold()
        for name in ("leave", "on_call", "shift"):
            words = [word.casefold() for word in getattr(self, name)]
            if any(word in categories or word in summary for word in words):
                return name
        return ""


def calendar_of(data: bytes, *, zone: ZoneInfo, today: date, words: Words) -> dict[str, Any]:
    """Return the calendar in a file, in the format of an employee's ``calendar``. Raise BadCalendar.

    Times without a time zone are in ``zone``, the employee's. The roster runs from the first shift in the window to the
    last one, so that weekly hours apply when a file has no more shifts.
    """
    month = today.replace(day=1)
    first, last = month - BEFORE * _DAY, month + AHEAD * _DAY
    budget = Budget()
    file = parse(data)
    zones = Zones(file, zone, years=(first.year, last.year), budget=budget)
    shifts: dict[date, list[list[str]]] = {}
    leave: list[list[str]] = []
    parts: list[list[str]] = []
    calls: list[list[str]] = []
    for event in occurrences(file, zones, first=first, last=last, budget=budget):
        kind = words.kind(event)
        if not kind:
            continue
        if not (isinstance(event.start, datetime) and isinstance(event.end, datetime)):
            if kind == "leave":
                leave.append([event.start.isoformat(), (event.end - _DAY).isoformat()])
            elif kind == "on_call":
                calls.append([f"{event.start.isoformat()}T00:00", f"{event.end.isoformat()}T00:00"])
            else:
                raise BadCalendar(f"line {event.line}: shift {event.uid[:60]!r} has no times")
            continue
        start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (event.start, event.end))
        if end <= start:
            continue  # nothing, or only the hour that the clock repeats
        if kind == "on_call":
            calls.append([start.isoformat(timespec="minutes"), end.isoformat(timespec="minutes")])
        elif kind == "leave":
            parts += _by_day(start, end)
        else:
            if end - start > _DAY:
                raise BadCalendar(f"line {event.line}: shift {event.uid[:60]!r} takes more than 24 hours")
            shifts.setdefault(start.date(), []).append([f"{start:%H:%M}", f"{end:%H:%M}"])
    found: dict[str, Any] = {"leave": leave, "leave_parts": parts, "on_call": calls}
    if shifts:
        days = {day.isoformat(): sorted(spans) for day, spans in sorted(shifts.items())}
        found["roster"] = {"from": min(days), "to": max(days), "days": days}
    return {name: value if name == "roster" else sorted(value) for name, value in found.items() if value}


def _by_day(start: datetime, end: datetime) -> list[list[str]]:
    """Split a time into parts of days."""
    parts = []
    while start < end:
        midnight = datetime.combine(start.date() + _DAY, time())
        until = min(end, midnight)
        shown = "24:00" if until == midnight else f"{until:%H:%M}"
        parts.append([start.date().isoformat(), f"{start:%H:%M}", shown])
        start = until
    return parts

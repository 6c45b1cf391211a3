"""A second calculation of working time, minute by minute from a table of all wall-clock readings.

It shares no code with the product: it asks the clock what each minute reads instead of calculating with offsets, and
has its holidays written down. Slow, and it sees some three weeks only.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Cabinet Office of Japan and gov.uk, 2026.
HOLIDAYS = {
    "JP": "01-01 01-12 02-11 02-23 03-20 04-29 05-03 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23",
    "GB-ENG": "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
}
#: Days in the table before the Monday of the message, and in all.
BEFORE, IN_ALL = 4, 19


class Clock:
    """What each minute of some weeks reads in a zone, and at which minutes a reading is shown."""

    def __init__(self, zone: str, first: datetime) -> None:
        self.first = first
        self.readings = [
            (first + index * MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for index in range(IN_ALL * 1440)
        ]
        self.shown: dict[datetime, list[int]] = defaultdict(list)
        for index, reading in enumerate(self.readings):
            self.shown[reading].append(index)

    def minutes(self, day: date, start: str, end: str) -> range:
        """The minutes of a span of a local day; an end at or before the start is on the next day."""
        begins, ends = _wall(day, start), _wall(day, end)
        if ends <= begins:
            ends += DAY
        return range(self._at(begins, last=False), self._at(ends, last=True))

    def span(self, start: str, end: str) -> range:
        return range(
            self._at(datetime.fromisoformat(start), last=False), self._at(datetime.fromisoformat(end), last=True)
        )

    def _at(self, reading: datetime, *, last: bool) -> int:
        """The minute at which the clock shows this; where it is skipped, the first minute that shows a later one."""
        if reading < min(self.readings[0], self.readings[-1]):
            return 0
        for _ in range(1500):
            found = self.shown.get(reading)
            if found:
                return found[-1] if last else found[0]
            reading += MINUTE
            if reading > self.readings[-1]:
                return len(self.readings)
        raise AssertionError(f"no clock shows {reading}")


@cache
def clock(zone: str, monday: date) -> Clock:
    return Clock(zone, datetime(monday.year, monday.month, monday.day, tzinfo=UTC) - BEFORE * DAY)


def _wall(day: date, text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    return datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute)  # noqa: DTZ001 - wall clock


def _holiday(day: date, codes: list[str]) -> bool:
    return any(day.strftime("%m-%d") in HOLIDAYS[code].split() for code in codes)


class Engine:
    """All minutes around one message, labelled."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case, self.employee, self.customer = case, case["employee"], case["customer"]
        self.now = datetime.fromisoformat(case["sent_at"])
        self.monday = self.now.date() - self.now.weekday() * DAY
        self.clock = clock(self.employee["zone"], self.monday)
        self.here = (self.now - self.clock.first) // MINUTE
        self.days = sorted({reading.date() for reading in self.clock.readings})[1:-1]
        self.labels = [""] * len(self.clock.readings)
        self._label()
        self.quiet = self._quiet()

    def _rule(self, day: date) -> str:
        text, employee = day.isoformat(), self.employee
        if any(first <= text <= last for first, last in employee.get("leave", [])):
            return "leave"
        roster = employee.get("roster")
        if roster and roster["from"] <= text <= roster["to"]:
            return "roster"
        if text in employee.get("open", []):
            return "open"
        if _holiday(day, employee.get("holidays", [])):
            return "holiday"
        return "closed" if text in employee.get("closed", []) else "weekly"

    def _label(self) -> None:
        shift, pause, part, call = set[int](), set[int](), set[int](), set[int]()
        for day in self.days:
            rule, name = self._rule(day), WEEKDAYS[day.weekday()]
            spans = {
                "roster": (self.employee.get("roster") or {}).get("days", {}).get(day.isoformat(), []),
                "weekly": self.employee["weekly"].get(name, []),
                "open": self.employee["weekly"].get(name, []),
            }.get(rule, [])
            for span in spans:
                shift.update(self.clock.minutes(day, *span))
            for span in self.employee.get("breaks", {}).get(name, []):
                pause.update(self.clock.minutes(day, *span))
        for day_text, start, end in self.employee.get("leave_parts", []):
            part.update(self.clock.minutes(date.fromisoformat(day_text), start, end))
        for start, end in self.employee.get("on_call", []):
            call.update(self.clock.span(start, end))
        rules = {day: self._rule(day) for day in {reading.date() for reading in self.clock.readings}}
        for index, reading in enumerate(self.clock.readings):
            rule = rules[reading.date()]
            for label, holds in (
                ("working", index in shift and index not in pause and index not in part),
                ("on_call", index in call),
                ("break", index in shift and index in pause),
                ("leave", index in part or rule == "leave"),
                (rule, rule in ("holiday", "closed")),
                ("off", True),
            ):
                if holds:
                    self.labels[index] = label
                    break

    def _quiet(self) -> list[bool]:
        if not self.customer:
            return [False] * len(self.labels)
        theirs = clock(self.customer["zone"], self.monday)
        silent = set[int]()
        for day in sorted({reading.date() for reading in theirs.readings})[1:-1]:
            if WEEKDAYS[day.weekday()] in self.customer.get("quiet_days", []) or _holiday(
                day, self.customer.get("quiet_holidays", [])
            ):
                silent.update(theirs.minutes(day, "0:00", "24:00"))
            for span in self.customer.get("quiet", []):
                silent.update(theirs.minutes(day, *span))
        return [index in silent for index in range(len(self.labels))]

    def answer(self) -> dict[str, object]:
        """The expected answer, all keys."""
        here, emergency = self.here, self.case["emergency"]
        state = self.labels[here]
        is_open = [label in ("working", "on_call") for label in self.labels]
        customers = [
            datetime.fromisoformat(at)
            for who, at in self.case["talk"]
            if who == "customer" and datetime.fromisoformat(at) <= self.now
        ]
        since = int((self.now - max(customers)).total_seconds() // 60) if customers else None
        quick = since is not None and since <= 30
        after_hours = state not in ("working", "on_call", "break") and not emergency
        applies = self.quiet[here] and not emergency and not quick
        waits = after_hours or applies
        free = [there and not silent for there, silent in zip(is_open, self.quiet, strict=True)]
        return {
            "state": state,
            "after_hours": after_hours,
            "next_open_at": None if emergency or is_open[here] else self._first(is_open),
            "customer_quiet": self.quiet[here],
            "quiet_ends_at": self._first([not silent for silent in self.quiet]) if self.quiet[here] else None,
            "first_by": self._first_by(),
            "minutes_since_customer": since,
            "quick_answer": quick,
            "quiet_applies": applies,
            "earliest_send_at": self._first(free) if waits else _text(self.now),
        }

    def _first(self, holds: list[bool]) -> str | None:
        """The first such minute from the message on; None if the table has none."""
        index = next((index for index in range(self.here, len(holds)) if holds[index]), None)
        return None if index is None else _text(self.clock.first + index * MINUTE)

    @property
    def end(self) -> str:
        """Up to here the table is right: shifts of its last days may be cut off."""
        return _text(self.clock.first + (IN_ALL - 3) * DAY)

    def _first_by(self) -> str:
        said = sorted(
            (datetime.fromisoformat(at), who) for who, at in self.case["talk"] if datetime.fromisoformat(at) <= self.now
        )
        said.append((self.now, "employee"))
        begins = 0
        for number in range(1, len(said)):
            answered = said[number - 1][1] == "employee"
            if answered and said[number][0] - said[number - 1][0] > timedelta(hours=12):
                begins = number
        return said[begins][1]


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

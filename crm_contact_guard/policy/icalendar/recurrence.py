"""The days of a recurrence rule (RFC 5545 §3.3.10).

Each day of the window is tested, instead of stepping from the first day on, so the cost doesn't depend on the rule.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from crm_contact_guard.policy.icalendar.lines import BadCalendar, Property

_DAY: Final = timedelta(days=1)
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_BY_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d{1,5}", re.ASCII)
#: Rules that began before this day aren't read.
EARLIEST: Final = date(2000, 1, 1)


class Budget:
    """The number of days that the rules of one file may be tested on, which bounds the time that a file takes."""

    def __init__(self, days: int = 400_000) -> None:
        self.left = days

    def spend(self, line: int) -> None:
        """Raise BadCalendar if nothing is left."""
        self.left -= 1
        if self.left < 0:
            raise BadCalendar(f"line {line}: the file's recurrence rules are too many or too long")


@dataclass(frozen=True)
class Rule:
    """A recurrence rule that begins on ``start``. ``until`` is left to the caller, who knows the time zone."""

    start: date
    frequency: str
    line: int
    interval: int = 1
    count: int | None = None
    until: str = ""
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: frozenset[int] = frozenset()
    week_start: int = 0
    _period: Callable[[date], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        week = self.start - (self.start.weekday() - self.week_start) % 7 * _DAY
        object.__setattr__(
            self,
            "_period",
            {
                "DAILY": lambda day: (day - self.start).days,
                "WEEKLY": lambda day: (day - week).days // 7,
                "MONTHLY": lambda day: (day.year - self.start.year) * 12 + day.month - self.start.month,
                "YEARLY": lambda day: day.year - self.start.year,
            }[self.frequency],
        )

    def days(self, first: date, last: date, budget: Budget) -> Iterator[date]:
        """Yield the rule's days from ``first`` through ``last``. Raise BadCalendar if the budget is spent."""
        from_start = self.count is not None or bool(self.positions)
        begin = self.start if from_start else max(self.start, first)
        if self.positions:  # the positions count from the beginning of the period
            begin = begin.replace(day=1, month=begin.month if self.frequency == "MONTHLY" else 1)
            begin -= 7 * _DAY
        found = 0
        for day in self._chosen(begin, last, budget):
            if day < self.start:
                continue
            found += 1
            if self.count is not None and found > self.count:
                return
            if day >= first:
                yield day

    def _chosen(self, begin: date, last: date, budget: Budget) -> Iterator[date]:
        matching = self._matching(begin, last if not self.positions else last + 366 * _DAY, budget)
        if not self.positions:
            yield from matching
            return
        for _period, members in groupby(matching, key=self._period):
            days = list(members)
            for place, day in enumerate(days):
                if {place + 1, place - len(days)} & self.positions:
                    if day > last:
                        return
                    yield day

    def _matching(self, begin: date, last: date, budget: Budget) -> Iterator[date]:
        day = begin
        while day <= last:
            budget.spend(self.line)
            if self._period(day) % self.interval == 0 and self._fits(day):
                yield day
            day += _DAY

    def _fits(self, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.month_days and not {day.day, day.day - length - 1} & self.month_days:
            return False
        if self.weekdays:
            return any(self._is_weekday(day, ordinal, weekday, length) for ordinal, weekday in self.weekdays)
        if self.month_days or self.frequency == "DAILY":
            return True
        if self.frequency == "WEEKLY":
            return day.weekday() == self.start.weekday()
        same_month = self.frequency == "MONTHLY" or bool(self.months) or day.month == self.start.month
        return same_month and day.day == self.start.day

    def _is_weekday(self, day: date, ordinal: int, weekday: int, length: int) -> bool:
        if day.weekday() != weekday:
            return False
        if not ordinal:
            return True
        place, days = day.day, length
        if self.frequency == "YEARLY" and not self.months:
            place, days = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
        return ordinal in ((place - 1) // 7 + 1, -((days - place) // 7 + 1))


def read_rule(given: Property, start: date) -> Rule:
    """Return the rule in an RRULE. Raise BadCalendar."""
    line = given.line
    parts: dict[str, str] = {}
    for part in given.value.strip().upper().split(";"):
        name, equals, value = part.partition("=")
        if part and (not equals or name in parts):
            raise BadCalendar(f"line {line}: RRULE has {part[:40]!r}")
        parts[name] = value
    frequency = parts.pop("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise BadCalendar(f"line {line}: FREQ={frequency[:20]} is not one of {', '.join(_FREQUENCIES)}")
    if start < EARLIEST:
        raise BadCalendar(f"line {line}: the rule began on {start}; rules from before {EARLIEST.year} aren't read")
    weekdays = _weekdays(parts.pop("BYDAY", ""), line)
    if frequency in ("DAILY", "WEEKLY") and any(ordinal for ordinal, _ in weekdays):
        raise BadCalendar(f"line {line}: BYDAY with a number needs FREQ=MONTHLY or YEARLY")
    week_start = parts.pop("WKST", "MO")
    if week_start not in WEEKDAYS:
        raise BadCalendar(f"line {line}: WKST={week_start[:20]} is not a weekday")
    count, until = parts.pop("COUNT", ""), parts.pop("UNTIL", "")
    rule = Rule(
        start=start,
        frequency=frequency,
        line=line,
        interval=min(_numbers(parts.pop("INTERVAL", "1"), "INTERVAL", 1, 9_999, line), default=1),
        count=min(_numbers(count, "COUNT", 1, 99_999, line)) if count else None,
        until=until,
        months=frozenset(_numbers(parts.pop("BYMONTH", ""), "BYMONTH", 1, 12, line)),
        month_days=frozenset(_numbers(parts.pop("BYMONTHDAY", ""), "BYMONTHDAY", -31, 31, line)),
        weekdays=weekdays,
        positions=frozenset(_numbers(parts.pop("BYSETPOS", ""), "BYSETPOS", -366, 366, line)),
        week_start=WEEKDAYS.index(week_start),
    )
    parts.pop("", None)
    if parts:
        raise BadCalendar(f"line {line}: RRULE with {', '.join(sorted(parts))[:60]} isn't supported")
    return rule


def _weekdays(text: str, line: int) -> tuple[tuple[int, int], ...]:
    found = []
    for part in filter(None, text.split(",")):
        match = _BY_DAY.fullmatch(part.strip())
        if match is None:
            raise BadCalendar(f"line {line}: BYDAY={part[:20]} is not a weekday")
        found.append((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(found)


def _numbers(text: str, name: str, least: int, most: int, line: int) -> list[int]:
    found = []
    for part in filter(None, text.split(",")):
        number = int(part) if _NUMBER.fullmatch(part.strip()) else 0
        if not least <= number <= most or number == 0:
            raise BadCalendar(f"line {line}: {name}={part[:20]} is not a number from {least} to {most}")
        found.append(number)
    return found

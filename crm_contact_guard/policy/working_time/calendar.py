"""What a minute is for an employee.

Precedence of a day: leave, roster, own open date, holiday or closed date, weekly hours. A shift belongs to the local
day on which it starts; what removes that day removes the whole shift, also past midnight.
Precedence of a minute: working, on call, break, leave, holiday, closed, off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_contact_guard.policy.working_time.clock import Interval, Span, end_of, interval, start_of, without
from crm_contact_guard.policy.working_time.holidays import is_holiday

Week = tuple[tuple[Span, ...], ...]
NEVER: Week = ((),) * 7
#: How far ahead an opening is looked for, in days.
HORIZON = 400
_DAY = timedelta(days=1)


class State(StrEnum):
    WORKING = "working"
    ON_CALL = "on_call"
    BREAK = "break"
    LEAVE = "leave"
    HOLIDAY = "holiday"
    CLOSED = "closed"
    OFF = "off"

    @property
    def is_open(self) -> bool:
        """Whether the employee is there for customers."""
        return self in (State.WORKING, State.ON_CALL)

    @property
    def is_after_hours(self) -> bool:
        """Whether a message that the employee sends now is after hours. A break is not."""
        return not self.is_open and self is not State.BREAK


class DayRule(StrEnum):
    """Which rule decides a local day."""

    LEAVE = "leave"
    ROSTER = "roster"
    OPEN = "open"
    HOLIDAY = "holiday"
    CLOSED = "closed"
    WEEKLY = "weekly"


#: What a minute outside all shifts is, by the rule of its calendar day.
_OUTSIDE = {DayRule.LEAVE: State.LEAVE, DayRule.HOLIDAY: State.HOLIDAY, DayRule.CLOSED: State.CLOSED}


@dataclass(frozen=True)
class Roster:
    """Shifts by date, from ``first`` to ``last``, both included. A day without an entry is off."""

    first: date
    last: date
    days: Mapping[date, tuple[Span, ...]]


@dataclass(frozen=True)
class Employee:
    """Working time of one employee; all times are wall clock in ``zone``.

    ``weekly`` and ``breaks`` have seven days, Monday first. ``leave`` are first and last days of leave, ``leave_parts``
    leave of part of a day, ``on_call`` local times from and until. ``open`` and ``closed`` are the company's own dates;
    ``holidays`` are codes of ISO 3166-1 or 3166-2.
    """

    zone: ZoneInfo
    weekly: Week = NEVER
    breaks: Week = NEVER
    rosters: tuple[Roster, ...] = ()
    leave: tuple[tuple[date, date], ...] = ()
    leave_parts: tuple[tuple[date, Span], ...] = ()
    on_call: tuple[tuple[datetime, datetime], ...] = ()
    open: frozenset[date] = frozenset()
    closed: frozenset[date] = frozenset()
    holidays: tuple[str, ...] = ()
    _on_call: tuple[Interval, ...] = field(init=False, repr=False, compare=False)
    _leave_parts: tuple[Interval, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        calls = (Interval(start_of(start, self.zone), end_of(end, self.zone)) for start, end in self.on_call)
        object.__setattr__(self, "_on_call", tuple(sorted(calls)))
        parts = (interval(day, part, self.zone) for day, part in self.leave_parts)
        object.__setattr__(self, "_leave_parts", tuple(part for part in parts if part is not None))

    def day_rule(self, day: date) -> DayRule:
        """Which rule decides this local day. Raises UnknownCalendar."""
        if any(first <= day <= last for first, last in self.leave):
            return DayRule.LEAVE
        if self._roster(day) is not None:
            return DayRule.ROSTER
        if day in self.open:
            return DayRule.OPEN
        if is_holiday(day, self.holidays):
            return DayRule.HOLIDAY
        return DayRule.CLOSED if day in self.closed else DayRule.WEEKLY

    def state(self, at: datetime) -> State:
        """What the minute of ``at`` (aware) is. Raises UnknownCalendar."""
        day = at.astimezone(self.zone).date()
        shifts = [shift for near in _around(day) for shift in self._shifts(near) if at in shift]
        on_break = any(at in pause for near in _around(day) for pause in self._breaks(near))
        on_leave = any(at in part for part in self._leave_parts)
        if shifts and not on_break and not on_leave:
            return State.WORKING
        if any(at in call for call in self._on_call):
            return State.ON_CALL
        if shifts and on_break:
            return State.BREAK
        if on_leave:
            return State.LEAVE
        return _OUTSIDE.get(self.day_rule(day), State.OFF)

    def works_on(self, day: date) -> bool:
        """Whether a shift starts on this local day. Raises UnknownCalendar."""
        return bool(self._shifts(day))

    def next_open(self, at: datetime) -> datetime | None:
        """The first instant, from ``at`` on, of work or on call; None if there is none within HORIZON days."""
        until = at + HORIZON * _DAY
        found = next((opening for opening in self._openings(at) if opening.end > at), None)
        start = max(found.start, at) if found else None
        return start if start is not None and start < until else None

    def _openings(self, at: datetime) -> Iterator[Interval]:
        """When the employee works or is on call, ordered by start, from about ``at`` on."""
        today = at.astimezone(self.zone).date()
        calls = list(self._on_call)
        waiting: list[Interval] = []
        for step in range(-2, HORIZON + 2):
            day = today + step * _DAY
            cuts = [pause for near in _around(day) for pause in self._breaks(near)]
            waiting += without(self._shifts(day), [*cuts, *self._leave_parts])
            waiting.sort()
            # Later days can't add anything that starts before they do.
            horizon = start_of(datetime.combine(day + _DAY, datetime.min.time()), self.zone)
            while waiting and waiting[0].start < horizon:
                while calls and calls[0] < waiting[0]:
                    yield calls.pop(0)
                yield waiting.pop(0)
            while calls and calls[0].start < horizon:
                yield calls.pop(0)

    def _roster(self, day: date) -> Roster | None:
        return next((roster for roster in self.rosters if roster.first <= day <= roster.last), None)

    def _shifts(self, day: date) -> list[Interval]:
        rule = self.day_rule(day)
        if rule is DayRule.ROSTER:
            roster = self._roster(day)
            return self._intervals(day, roster.days.get(day, ()) if roster else ())
        return self._intervals(day, self.weekly[day.weekday()] if rule in (DayRule.OPEN, DayRule.WEEKLY) else ())

    def _breaks(self, day: date) -> list[Interval]:
        return self._intervals(day, self.breaks[day.weekday()])

    def _intervals(self, day: date, spans: Iterable[Span]) -> list[Interval]:
        found = (interval(day, part, self.zone) for part in spans)
        return [shift for shift in found if shift is not None]


def _around(day: date) -> tuple[date, ...]:
    """The days whose shifts may reach into this one; two before, for shifts of 24 hours and days that a zone skips."""
    return (day - 2 * _DAY, day - _DAY, day)

"""Determines the state of an employee at a given minute: working, on call, on leave, and so on.

Precedence of the rules for a day: leave, roster, the company's open dates, holidays, closed dates, weekly hours. A
shift belongs to the local day on which it starts. A rule that cancels a day's shifts also cancels the parts after
midnight.

Precedence of the states of a minute: working, on call, break, leave, holiday, closed, off.
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
#: How many days ahead to look for working time.
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
        """Whether the employee is working or on call."""
        return self in (State.WORKING, State.ON_CALL)

    @property
    def is_after_hours(self) -> bool:
        """Whether a message that the employee sends now is after hours. Messages sent during a break aren't."""
        return not self.is_open and self is not State.BREAK


class DayRule(StrEnum):
    """The rules that can determine a local day."""

    LEAVE = "leave"
    ROSTER = "roster"
    OPEN = "open"
    HOLIDAY = "holiday"
    CLOSED = "closed"
    WEEKLY = "weekly"


#: The state of a minute outside all shifts, by the rule that determines its local day.
_OUTSIDE = {DayRule.LEAVE: State.LEAVE, DayRule.HOLIDAY: State.HOLIDAY, DayRule.CLOSED: State.CLOSED}


@dataclass(frozen=True)
class Roster:
    """Shifts by date, from ``first`` through ``last``. A day without an entry is off."""

    first: date
    last: date
    days: Mapping[date, tuple[Span, ...]]


@dataclass(frozen=True)
class ShownDay:
    """What applies to a local day: the rule that determines it, work that begins on it, and on-call duty during it."""

    day: date
    rule: DayRule
    work: tuple[Interval, ...]
    on_call: tuple[Interval, ...]


@dataclass(frozen=True)
class Employee:
    """The working time of one employee. All times are wall-clock times in ``zone``.

    * ``weekly``, ``breaks``: spans for each of seven days, Monday first.
    * ``leave``: pairs of the first and last days of leave; ``leave_parts``: leave for part of a day.
    * ``on_call``: pairs of local start and end times.
    * ``open``, ``closed``: the company's own dates; ``holidays``: ISO 3166-1 or 3166-2 codes.
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
        """Return the rule that determines this local day. Raise UnknownCalendar."""
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
        """Return the employee's state at ``at`` (aware). Raise UnknownCalendar."""
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
        """Whether a shift starts on this local day. Raise UnknownCalendar."""
        return bool(self._shifts(day))

    def shown_day(self, day: date) -> ShownDay:
        """Return what applies to this local day, for people to read. Raise UnknownCalendar."""
        cuts = [pause for near in _around(day) for pause in self._breaks(near)]
        midnight = datetime.combine(day, datetime.min.time())
        whole = Interval(start_of(midnight, self.zone), end_of(midnight + _DAY, self.zone))
        calls = (Interval(max(call.start, whole.start), min(call.end, whole.end)) for call in self._on_call)
        return ShownDay(
            day,
            self.day_rule(day),
            tuple(without(self._shifts(day), [*cuts, *self._leave_parts])),
            tuple(call for call in calls if call.start < call.end),
        )

    def next_open(self, at: datetime) -> datetime | None:
        """Return the first instant from ``at`` on at which the employee works or is on call.

        None if there is none within HORIZON days. Raise UnknownCalendar.
        """
        until = at + HORIZON * _DAY
        found = next((opening for opening in self._openings(at) if opening.end > at), None)
        start = max(found.start, at) if found else None
        return start if start is not None and start < until else None

    def after_work(self, at: datetime, time: timedelta) -> datetime | None:
        """Return when the employee has worked or been on call for ``time`` since ``at``.

        None if that takes longer than HORIZON days. Raise UnknownCalendar.
        """
        for opening in self._openings(at):
            start = max(opening.start, at)
            if start + time <= opening.end:
                return start + time
            if start < opening.end:
                time -= opening.end - start
                at = opening.end
        return None

    def next_start(self, at: datetime) -> datetime | None:
        """Return when the first shift from ``at`` on starts, disregarding breaks and leave by the hour.

        None if there is none within HORIZON days. Raise UnknownCalendar.
        """
        today = at.astimezone(self.zone).date()
        for step in range(-1, HORIZON + 1):
            starts = [shift.start for shift in self._shifts(today + step * _DAY) if shift.start >= at]
            if starts:
                return min(starts)
        return None

    def _openings(self, at: datetime) -> Iterator[Interval]:
        """Yield the intervals of work and on-call duty in order of their start, from about two days before ``at``."""
        today = at.astimezone(self.zone).date()
        calls = list(self._on_call)
        waiting: list[Interval] = []
        for step in range(-2, HORIZON + 2):
            day = today + step * _DAY
            cuts = [pause for near in _around(day) for pause in self._breaks(near)]
            waiting += without(self._shifts(day), [*cuts, *self._leave_parts])
            waiting.sort()
            # Later days can't add an interval that starts before this instant.
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
    """Return the days whose shifts may extend into this one.

    Two earlier days are needed for shifts of 24 hours and for days that a time zone skips.
    """
    return (day - 2 * _DAY, day - _DAY, day)

"""The time zones of one file: IANA names, and the file's own VTIMEZONE components (RFC 5545 §3.6.5)."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from crm_contact_guard.policy.icalendar.lines import BadCalendar, Component, Property
from crm_contact_guard.policy.icalendar.recurrence import Budget, read_rule
from crm_contact_guard.policy.working_time.clock import end_of, start_of

_OFFSET: Final = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1500, 9000
_TIME: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.ASCII)


class Zone(Protocol):
    """Converts local times to instants, as ``working_time.clock`` does."""

    def start(self, local: datetime) -> datetime: ...
    def end(self, local: datetime) -> datetime: ...


@dataclass(frozen=True)
class Named:
    """A zone of the IANA database."""

    zone: ZoneInfo

    def start(self, local: datetime) -> datetime:
        return start_of(local, self.zone)

    def end(self, local: datetime) -> datetime:
        return end_of(local, self.zone)


@dataclass(frozen=True)
class Own:
    """A zone that the file defines: when a new offset begins, by the clock before it, with both offsets."""

    onsets: tuple[tuple[datetime, timedelta, timedelta], ...]

    def start(self, local: datetime) -> datetime:
        place = bisect_right([onset for onset, _before, _after in self.onsets], local) - 1
        if place < 0:
            return (local - self.onsets[0][1]).replace(tzinfo=UTC)
        onset, before, after = self.onsets[place]
        # A time that the change skips is the instant of the change.
        return max(local - after, onset - before).replace(tzinfo=UTC)

    def end(self, local: datetime) -> datetime:
        for onset, before, after in self.onsets:
            if onset - (before - after) <= local < onset:  # occurs twice: before the change, and after it
                return (local - after).replace(tzinfo=UTC)
        return self.start(local)


class Zones:
    """The zones of one file, and nobody else's. ``default`` is for times without a zone."""

    def __init__(self, file: Component, default: ZoneInfo, *, years: tuple[int, int], budget: Budget) -> None:
        self._default: Zone = Named(default)
        self._budget = budget
        self._years = years
        self._own = {one.text("TZID"): one for one in file.components if one.name == "VTIMEZONE"}
        self._known: dict[str, Zone] = {}

    def of(self, given: Property, uid: str) -> Zone:
        """Return the zone of a time. Raise BadCalendar for an unknown TZID."""
        name = given.params.get("TZID", "").strip()
        if not name:
            return self._default
        if name not in self._known:
            self._known[name] = self._found(name, given, uid)
        return self._known[name]

    def _found(self, name: str, given: Property, uid: str) -> Zone:
        try:
            # A well-known name beats the file's own definition, which may be outdated.
            return Named(ZoneInfo(name.removeprefix("/")))
        except (OSError, ValueError, LookupError):
            own = self._own.get(name)
        if own is None:
            raise BadCalendar(f"line {given.line}: the time zone {name[:60]!r} of event {uid[:60]!r} isn't known")
        onsets = [onset for part in own.components for onset in self._onsets(part)]
        if not onsets:
            raise BadCalendar(f"line {own.line}: the time zone {name[:60]!r} has neither STANDARD nor DAYLIGHT")
        return Own(tuple(sorted(onsets)))

    def _onsets(self, part: Component) -> list[tuple[datetime, timedelta, timedelta]]:
        began = part.one("DTSTART")
        if began is None:
            raise BadCalendar(f"line {part.line}: {part.name} without DTSTART")
        first = local_time(began)
        before, after = (_offset(part, name) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
        days = [first.date()]
        rule = part.one("RRULE")
        if rule is not None:
            # Programs let zones begin in 1601. Only the years around the window matter.
            start = first.date().replace(day=min(first.day, 28), year=max(first.year, self._years[0] - 1))
            found = read_rule(rule, start)
            until = f"{self._years[1] + 1}1231"
            last = min(found.until[:8] or until, until)
            days += found.days(start, _date(last, rule.line), self._budget)
        moments = {datetime.combine(day, first.time()) for day in days}
        moments |= {local_time(each) for each in part.all("RDATE") if "," not in each.value}
        return [(moment, before, after) for moment in moments]


def _offset(part: Component, name: str) -> timedelta:
    match = _OFFSET.fullmatch(part.text(name))
    if match is None:
        raise BadCalendar(f"line {part.line}: {part.name} has no {name} such as +0900")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    if offset >= timedelta(days=1):
        raise BadCalendar(f"line {part.line}: {name} is not a time difference")
    return -offset if match[1] == "-" else offset


def _date(text: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadCalendar(f"line {line}: UNTIL={text[:20]} is not a date") from None


def time_value(text: str, line: int) -> date | datetime:
    """Return a date, a local time (naive), or an instant (in UTC). Raise BadCalendar."""
    match = _TIME.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        # Some programs write the year 9999 for "for ever", and clocks can't be asked about such years.
        day = date(min(int(match[1]), _LAST_YEAR), int(match[2]), int(match[3]))
        if day.year < _FIRST_YEAR:
            raise ValueError
        if match[4] is None:
            return day
        zone = UTC if match[7] else None
        return datetime(day.year, day.month, day.day, int(match[4]), int(match[5]), min(int(match[6]), 59), tzinfo=zone)
    except ValueError:
        raise BadCalendar(f"line {line}: {text[:40]!r} is not a time such as 20260506T090000") from None


def local_time(given: Property) -> datetime:
    """Return a property's local time (naive). Raise BadCalendar."""
    value = time_value(given.value, given.line)
    if not isinstance(value, datetime):
        return datetime.combine(value, datetime.min.time())
    return value.replace(tzinfo=None)

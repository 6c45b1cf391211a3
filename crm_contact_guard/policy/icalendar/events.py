"""The occurrences of a file's events in a window of days (RFC 5545 §3.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from crm_contact_guard.policy.icalendar.lines import BadCalendar, Component, Property
from crm_contact_guard.policy.icalendar.recurrence import Budget, read_rule
from crm_contact_guard.policy.icalendar.zones import Zone, Zones, time_value

MAX_OCCURRENCES: Final = 5_000
_LONGEST: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)
_DURATION: Final = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,3})W|(?:(?P<days>\d{1,4})D)?(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?"
    r"(?:(?P<seconds>\d{1,6})S)?)?)",
    re.ASCII,
)


@dataclass(frozen=True)
class Occurrence:
    """One event on one day. ``start`` and ``end`` are both dates (``end`` is the day after) or both instants."""

    uid: str
    line: int
    summary: str
    categories: tuple[str, ...]
    start: date
    end: date


@dataclass(frozen=True)
class _Event:
    """One VEVENT. ``start`` is local; ``zone`` turns it into an instant, except for days."""

    uid: str
    component: Component
    start: date
    length: timedelta
    #: The local end, if the file gives it, since a night's length depends on the clock.
    end: date | None
    zone: Zone

    @property
    def line(self) -> int:
        return self.component.line

    @property
    def is_out(self) -> bool:
        is_free = self.component.text("TRANSP").upper() == "TRANSPARENT"
        return is_free or self.component.text("STATUS").upper() == "CANCELLED"

    def key(self, start: date) -> date:
        """Return what EXDATE and RECURRENCE-ID name an occurrence by: its day or instant."""
        return self.zone.start(start) if isinstance(start, datetime) else start

    def at(self, start: date) -> Occurrence:
        """Return the occurrence that starts at this local time."""
        moved = start - self.start
        end = self.end + moved if self.end is not None else start + self.length
        if isinstance(start, datetime) and isinstance(end, datetime):
            start, end = self.zone.start(start), self.zone.end(end)
        categories = (each.value for each in self.component.all("CATEGORIES"))
        return Occurrence(
            uid=self.uid,
            line=self.line,
            summary=_unescaped(self.component.text("SUMMARY")),
            categories=tuple(_unescaped(one).strip() for text in categories for one in re.split(r"(?<!\\),", text)),
            start=start,
            end=end,
        )


def occurrences(file: Component, zones: Zones, *, first: date, last: date, budget: Budget) -> list[Occurrence]:
    """Return the occurrences that begin from ``first`` through ``last``, without cancelled and transparent ones.

    Raise BadCalendar.
    """
    events = [_event(one, zones) for one in file.components if one.name == "VEVENT"]
    moved: dict[tuple[str, date], _Event] = {}
    for event in events:
        given = event.component.one("RECURRENCE-ID")
        if given is not None:
            if "RANGE" in given.params:
                raise BadCalendar(f"line {given.line}: RECURRENCE-ID with RANGE isn't supported")
            moved[event.uid, _key(given, zones, event.uid)] = event
    found: list[Occurrence] = []
    for event in events:
        is_moved = event.component.one("RECURRENCE-ID") is not None
        for start in _starts(event, zones, first, last, budget):
            if not is_moved and (event.uid, event.key(start)) in moved:
                continue
            if not event.is_out:
                found.append(event.at(start))
            if len(found) > MAX_OCCURRENCES:
                raise BadCalendar(f"line {event.line}: more than {MAX_OCCURRENCES} occurrences")
    return found


def _event(component: Component, zones: Zones) -> _Event:
    uid = component.text("UID")[:255]
    begins, ends = component.one("DTSTART"), component.one("DTEND")
    if begins is None:
        raise BadCalendar(f"line {component.line}: event {uid[:60]!r} has no DTSTART")
    start, zone = _time(begins, zones, uid)
    end: date | None = None
    if ends is not None:
        end, end_zone = _time(ends, zones, uid)
        if isinstance(start, datetime) is not isinstance(end, datetime):
            raise BadCalendar(f"line {ends.line}: DTEND must be a date if DTSTART is one, and a time otherwise")
        if isinstance(start, datetime) and isinstance(end, datetime):
            length = end_zone.end(end) - zone.start(start)
            if end_zone != zone:
                end = None  # another clock ends it: only the length counts
        else:
            length = end - start
    else:
        given = component.one("DURATION")
        length = _duration(given) if given is not None else timedelta() if isinstance(start, datetime) else _DAY
    if length < timedelta() or (length == timedelta() and not isinstance(start, datetime)):
        raise BadCalendar(f"line {component.line}: event {uid[:60]!r} ends before it begins")
    if length > _LONGEST:
        raise BadCalendar(f"line {component.line}: event {uid[:60]!r} takes more than {_LONGEST.days} days")
    return _Event(uid, component, start, length, end, zone)


def _starts(event: _Event, zones: Zones, first: date, last: date, budget: Budget) -> Iterator[date]:
    """Yield the local starts of an event in the window."""
    given = event.component.one("RRULE")
    day = event.start.date() if isinstance(event.start, datetime) else event.start
    found: dict[date, date] = {}
    if given is None:
        if first <= day <= last:
            found[event.key(event.start)] = event.start
    else:
        rule = read_rule(given, day)
        until = time_value(rule.until, rule.line) if rule.until else None
        for each in rule.days(first, last, budget):
            start = _moved_to(event.start, each)
            if until is not None and _is_after(start, until, event.zone):
                break
            found[event.key(start)] = start
    for added in event.component.all("RDATE"):
        for start in _times(added, zones, event):
            if first <= (start.date() if isinstance(start, datetime) else start) <= last:
                found[event.key(start)] = start
    for excluded in event.component.all("EXDATE"):
        for start in _times(excluded, zones, event):
            found.pop(event.key(start), None)
    yield from found.values()


def _moved_to(start: date, day: date) -> date:
    return datetime.combine(day, start.time()) if isinstance(start, datetime) else day


def _is_after(start: date, until: date, zone: Zone) -> bool:
    if not isinstance(until, datetime):
        return (start.date() if isinstance(start, datetime) else start) > until
    if not isinstance(start, datetime):
        return start > until.date()
    return zone.start(start) > until if until.tzinfo is not None else start > until


def _time(given: Property, zones: Zones, uid: str) -> tuple[date, Zone]:
    """Return a property's local time or day, and its zone."""
    value = time_value(given.value, given.line)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.replace(tzinfo=None), _UTC
    return value, zones.of(given, uid) if isinstance(value, datetime) else _UTC


def _times(given: Property, zones: Zones, event: _Event) -> Iterator[date]:
    """Yield the times of a list (EXDATE, RDATE) by the event's clock, as far as they are of the event's kind."""
    if given.params.get("VALUE", "").upper() == "PERIOD":
        raise BadCalendar(f"line {given.line}: {given.name} with periods isn't supported")
    for text in given.value.split(","):
        one = Property(given.name, given.params, text, given.line)
        value, zone = _time(one, zones, event.uid)
        if isinstance(value, datetime) is isinstance(event.start, datetime):
            if isinstance(value, datetime) and zone != event.zone:
                value = _by_clock(zone.start(value), value, event.zone)
            yield value


def _by_clock(at: datetime, near: datetime, zone: Zone) -> datetime:
    """Return the local time that ``zone`` shows at an instant. A file's own zones can only be asked the other way."""
    local = near
    for _ in range(3):
        local += at - zone.start(local)
    return local


def _key(given: Property, zones: Zones, uid: str) -> date:
    value, zone = _time(given, zones, uid)
    return zone.start(value) if isinstance(value, datetime) else value


def _duration(given: Property) -> timedelta:
    match = _DURATION.fullmatch(given.value.strip())
    parts = {name: int(value) for name, value in match.groupdict().items() if value} if match else {}
    if not parts:
        raise BadCalendar(f"line {given.line}: {given.value[:40]!r} is not a duration such as PT8H")
    return timedelta(**parts)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: " " if match[1] in "nN" else match[1], text)


class _Instants:
    """The clock of times in UTC."""

    def start(self, local: datetime) -> datetime:
        return local.replace(tzinfo=UTC)

    end = start


_UTC: Final = _Instants()

"""Converts wall-clock times to instants and intervals, including on days with 23 or 25 hours.

Intervals are half-open, [start, end), with aware times in UTC. Local times are naive ``datetime`` values, accompanied
by a time zone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A time span on a local day, in minutes after midnight. ``end`` is greater than ``start``, and may pass 24:00."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The time from ``start`` up to, but not including, ``end``. Both are aware, in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


def span(start: int, end: int) -> Span:
    """Return the span between two minutes of the day. An end at or before the start is on the next day."""
    return Span(start, end if end > start else end + DAY)


def start_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which a span starts.

    If the local time occurs twice, return the first instant. If a clock change skips it, return the instant of
    the change.
    """
    return _instant(local.replace(fold=0), zone)


def end_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which a span ends.

    If the local time occurs twice, return the second instant. If a clock change skips it, return the instant of
    the change.
    """
    return _instant(local.replace(fold=1), zone)


def interval(day: date, part: Span, zone: ZoneInfo) -> Interval | None:
    """Return the interval of a span on a local day, or None if a clock change skips all of it."""
    midnight = datetime.combine(day, time())
    start = start_of(midnight + timedelta(minutes=part.start), zone)
    end = end_of(midnight + timedelta(minutes=part.end), zone)
    return Interval(start, end) if start < end else None


def without(intervals: Iterable[Interval], cuts: Iterable[Interval]) -> list[Interval]:
    """Return what remains of the intervals after removing ``cuts``, in order."""
    left = sorted(intervals)
    for cut in cuts:
        left = [
            piece
            for whole in left
            for piece in (
                Interval(whole.start, min(whole.end, cut.start)),
                Interval(max(whole.start, cut.end), whole.end),
            )
            if piece.start < piece.end
        ]
    return sorted(left)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    before, after = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before is None or after is None or before >= after:  # the time exists, once or twice
        return local.replace(tzinfo=zone).astimezone(UTC)
    # A clock change skips this time. Search for the second of the change between the two interpretations of the time.
    low, high = (local - after).replace(tzinfo=UTC), (local - before).replace(tzinfo=UTC)
    seconds = range(int((high - low).total_seconds()) + 1)
    steps = bisect_left(seconds, True, key=lambda step: _offset(low + step * _SECOND, zone) != before)
    return low + steps * _SECOND


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()

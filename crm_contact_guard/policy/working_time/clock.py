"""From wall-clock times to instants: times of day, days of 23 and 25 hours, intervals.

Intervals are half-open, [start, end), and aware in UTC. Local times are naive ``datetime`` values with a zone beside.
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
    """A time span of a local day, in minutes after midnight; ``end`` is greater than ``start`` and may pass 24:00."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """From ``start`` until before ``end``, both aware in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


def span(start: int, end: int) -> Span:
    """The span between two minutes of the day; an end at or before the start is on the next day."""
    return Span(start, end if end > start else end + DAY)


def start_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which a span starts: the first of two; for a time that a clock change skips, the change itself."""
    return _instant(local.replace(fold=0), zone)


def end_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which a span ends: the second of two; for a time that a clock change skips, the change itself."""
    return _instant(local.replace(fold=1), zone)


def interval(day: date, part: Span, zone: ZoneInfo) -> Interval | None:
    """The instants of a span of a local day. None if a clock change leaves nothing of it."""
    midnight = datetime.combine(day, time())
    start = start_of(midnight + timedelta(minutes=part.start), zone)
    end = end_of(midnight + timedelta(minutes=part.end), zone)
    return Interval(start, end) if start < end else None


def without(intervals: Iterable[Interval], cuts: Iterable[Interval]) -> list[Interval]:
    """The intervals without the minutes of ``cuts``, in order."""
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
    # The clock jumps over this time. The change lies between the two readings of it; look for its second.
    low, high = (local - after).replace(tzinfo=UTC), (local - before).replace(tzinfo=UTC)
    seconds = range(int((high - low).total_seconds()) + 1)
    steps = bisect_left(seconds, True, key=lambda step: _offset(low + step * _SECOND, zone) != before)
    return low + steps * _SECOND


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()

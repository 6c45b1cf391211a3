"""Working hours of an employee, in their own time zone and without public holidays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
#: Days searched for the next working day; longer than any holiday season.
_HORIZON = 60


@dataclass(frozen=True)
class Span:
    """Working time of one weekday in minutes after midnight; ``end`` may pass 24:00 for night shifts."""

    start: int
    end: int


Week = tuple[tuple[Span, ...], ...]


def parse_week(hours: Mapping[str, Any]) -> Week:
    """Parse ``{"mon-fri": "09:00-18:00", "sat": "10:00-13:00, 14:00-17:00"}`` into seven days, Monday first.

    An end at or before the start is on the next day. Raises ConfigurationError, which names the entry.
    """
    week: list[list[Span]] = [[] for _ in _DAYS]
    for days, spans in hours.items():
        for index in _days(days):
            for text in str(spans).split(","):
                if not text.strip():
                    continue
                match = _SPAN.fullmatch(text)
                if match is None:
                    raise ConfigurationError(f"Working hours {days!r}: {text.strip()!r} is not like 09:00-18:00")
                from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
                start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
                if start >= 24 * 60 or end > 24 * 60 or from_minute > 59 or to_minute > 59:
                    raise ConfigurationError(f"Working hours {days!r}: {text.strip()!r} is not a time of day")
                week[index].append(Span(start, end if end > start else end + 24 * 60))
    return tuple(tuple(day) for day in week)


def _days(text: str) -> list[int]:
    first, _, last = text.strip().lower().partition("-")
    try:
        start, end = _DAYS.index(first[:3]), _DAYS.index((last or first)[:3])
    except ValueError as error:
        raise ConfigurationError(f"Working hours: {text!r} is not a day like mon or mon-fri") from error
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]


def zone(employee: Employee) -> ZoneInfo:
    """The employee's time zone, or the project's if theirs is empty or invalid."""
    return zone_named(employee.timezone)


def zone_named(name: str) -> ZoneInfo:
    """The time zone with this IANA name, or the project's if the name is empty or invalid."""
    try:
        return ZoneInfo(name or timezone.get_default_timezone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(timezone.get_default_timezone_name())


def week_of(employee: Employee) -> Week:
    """The employee's own working hours, else the company's."""
    return parse_week(employee.working_hours or settings.WORKING_HOURS)


@lru_cache(maxsize=64)
def _calendar(country: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - slow to import, and many hosts set no holidays

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError as error:
        raise ConfigurationError(f'CONTACT_GUARD["HOLIDAYS"]: no calendar for {country!r}') from error


def is_holiday(day: date) -> bool:
    """Whether the day is a public holiday of one of the ``HOLIDAYS`` countries, or one of its ISO dates."""
    for entry in settings.HOLIDAYS:
        if entry == day.isoformat() or (len(entry) == 2 and day in _calendar(entry, day.year)):
            return True
    return False


def is_working_time(employee: Employee, at: datetime) -> bool:
    """Whether ``at`` (aware) is within the employee's working hours."""
    local = at.astimezone(zone(employee))
    week = week_of(employee)
    minute = local.hour * 60 + local.minute
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    if not is_holiday(today) and any(span.start <= minute < span.end for span in week[today.weekday()]):
        return True
    past_midnight = minute + 24 * 60
    return not is_holiday(yesterday) and any(
        span.start <= past_midnight < span.end for span in week[yesterday.weekday()]
    )


def next_working_day(employee: Employee, after: datetime) -> date:
    """The first day with working hours after the day of ``after``, in the employee's time zone.

    Raises ConfigurationError if the employee never works.
    """
    week = week_of(employee)
    day = after.astimezone(zone(employee)).date()
    for _ in range(_HORIZON):
        day += timedelta(days=1)
        if week[day.weekday()] and not is_holiday(day):
            return day
    raise ConfigurationError(f"No working day within {_HORIZON} days: check the working hours of {employee}")


def local_time(employee: Employee, day: date, at: time) -> datetime:
    """An aware datetime in the employee's time zone."""
    return datetime.combine(day, at, tzinfo=zone(employee))

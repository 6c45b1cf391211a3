"""The working hours of employees, from the directory and the settings. ``working_time`` does the calculations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import working_time
from crm_contact_guard.policy.calendars.merging import with_kept
from crm_contact_guard.policy.working_time import UnknownCalendar, holidays
from crm_contact_guard.policy.working_time.calendar import HORIZON, Week
from crm_contact_guard.policy.working_time.case import BadCase, with_calendar
from crm_contact_guard.policy.working_time.clock import DAY, Span, span

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


def parse_week(hours: Mapping[str, Any]) -> Week:
    """Parse ``{"mon-fri": "09:00-18:00", "sat": "10:00-13:00, 14:00-17:00"}`` into seven days, Monday first.

    A time span that ends at or before its start ends on the next day. Raise ConfigurationError, which names the
    entry.
    """
    week: list[list[Span]] = [[] for _ in _DAYS]
    for days, spans in hours.items():
        for index in parse_days(days, "Working hours"):
            week[index] += parse_spans(spans, f"Working hours {days!r}")
    return tuple(tuple(day) for day in week)


def parse_spans(text: Any, where: str) -> list[Span]:
    """Parse ``10:00-13:00, 14:00-17:00``. Raise ConfigurationError, which begins with ``where``."""
    found = []
    for part in filter(str.strip, str(text).split(",")):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ConfigurationError(f"{where}: {part.strip()!r} is not like 09:00-18:00")
        from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
        start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if start >= DAY or end > DAY or from_minute > 59 or to_minute > 59:
            raise ConfigurationError(f"{where}: {part.strip()!r} is not a time of day")
        found.append(span(start, end))
    return found


def parse_days(text: str, where: str) -> list[int]:
    """Parse ``mon`` or ``mon-fri`` to weekdays (0 is Monday). Raise ConfigurationError, which begins with ``where``."""
    first, _, last = (part.strip()[:3] for part in text.lower().partition("-"))
    try:
        start, end = _DAYS.index(first), _DAYS.index(last or first)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {text!r} is not a day like mon or mon-fri") from error
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]


def zone(employee: Employee) -> ZoneInfo:
    """Return the employee's time zone, or the project's if the employee's is empty or invalid."""
    return zone_named(employee.timezone)


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name, or the project's if the name is empty or invalid."""
    try:
        return ZoneInfo(name or timezone.get_default_timezone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(timezone.get_default_timezone_name())


def week_of(employee: Employee) -> Week:
    """Return the employee's own working hours, or the company's if there are none."""
    return parse_week(employee.working_hours or settings.WORKING_HOURS)


def is_holiday(day: date) -> bool:
    """Whether the day is a public holiday under one of the codes in ``HOLIDAYS``, or one of its ISO dates.

    Raise ConfigurationError for an unknown code.
    """
    codes, closed = _holidays()
    with unknown_calendars_named():
        return day in closed or holidays.is_holiday(day, codes)


def is_working_time(employee: Employee, at: datetime) -> bool:
    """Whether the employee is at work, on call or on a break at ``at`` (aware), so that a message isn't after hours.

    Raise ConfigurationError for invalid settings or an invalid calendar.
    """
    with unknown_calendars_named():
        return not working_time_of(employee).state(at).is_after_hours


def ever_works(employee: Employee, at: datetime) -> bool:
    """Whether the employee has any working time in the next HORIZON days. Raise ConfigurationError."""
    with unknown_calendars_named():
        return working_time_of(employee).next_open(at) is not None


def unknown_holidays() -> list[str]:
    """Return what is wrong with the entries of ``HOLIDAYS`` that are neither dates nor known codes."""
    found = []
    for entry in settings.HOLIDAYS:
        try:
            date.fromisoformat(entry)
        except TypeError:
            found.append(f"{entry!r} is not a text")
        except ValueError:
            found.append(holidays.unknown(entry))
    return [problem for problem in found if problem]


def holiday_problems(years: Iterable[int], codes: Iterable[str] = ()) -> list[str]:
    """Return problems with the codes in ``HOLIDAYS`` and ``codes``: unknown codes, and years without data."""
    known = dict.fromkeys((*_holidays()[0], *codes))
    found = (holidays.problem(code, year) for code in known for year in years)
    return list(dict.fromkeys(problem for problem in found if problem))


def holiday_parts(codes: Iterable[str], year: int) -> list[str]:
    """Return why codes of countries aren't enough, because each part of the country has further holidays."""
    found = []
    for code in dict.fromkeys((*_holidays()[0], *codes)):
        with suppress(UnknownCalendar):  # named by ``holiday_problems``
            found.append(holidays.parts_problem(code, year))
    return [problem for problem in found if problem]


def holiday_sources(codes: Iterable[str]) -> list[str]:
    """Return the version of the holidays' data, and the last year that each code has days for, in English."""
    found = {}
    for code in dict.fromkeys((*_holidays()[0], *codes)):
        with suppress(UnknownCalendar):
            found[code] = holidays.last_known(code)
    version = next((version for version, _year in found.values()), "")
    years = ", ".join(f"{code} until {year}" for code, (_version, year) in found.items())
    return [f"holidays {version} knows {years}"] if found else []


def warm_up() -> None:
    """Load the holidays of this year and the next, which otherwise takes 0.4 s when the first message is judged.

    Does nothing if the settings name no country. Celery workers call this on startup; a web server may.
    """
    quiet = settings.QUIET_HOURS.get("holidays", ()) if isinstance(settings.QUIET_HOURS, Mapping) else ()
    year = timezone.now().year
    for code in (*_holidays()[0], *quiet):
        with suppress(UnknownCalendar):
            holidays.calendar(str(code), year)
            holidays.calendar(str(code), year + 1)


def next_working_day(employee: Employee, after: datetime) -> date:
    """Return the first day on which a shift starts after the day of ``after``, in the employee's time zone.

    Raise ConfigurationError if there is none within HORIZON days.
    """
    calendar = working_time_of(employee)
    today = after.astimezone(calendar.zone).date()
    with unknown_calendars_named():
        for step in range(1, HORIZON):
            day = today + timedelta(days=step)
            if calendar.works_on(day):
                return day
    raise ConfigurationError(f"No working day within {HORIZON} days: check the working hours of {employee}")


def local_time(employee: Employee, day: date, at: time) -> datetime:
    """Return the time on this day as an aware datetime in the employee's time zone."""
    return datetime.combine(day, at, tzinfo=zone(employee))


def working_time_of(employee: Employee) -> working_time.Employee:
    """Return an employee's hours and calendars from all sources, including the company's dates and holidays.

    Raises ConfigurationError if one of them can't be used."""
    codes, closed = _holidays()
    found = working_time.Employee(zone=zone(employee), weekly=week_of(employee), holidays=codes, closed=closed)
    try:
        found = with_calendar(found, employee.calendar, "calendar") if employee.calendar else found
        return with_kept(found, employee)
    except BadCase as error:
        raise ConfigurationError(f"Employee {employee.key}: {error}") from error


def _holidays() -> tuple[tuple[str, ...], frozenset[date]]:
    """Return the codes and the dates in the setting ``HOLIDAYS``."""
    codes, dates = [], []
    for entry in settings.HOLIDAYS:
        try:
            dates.append(date.fromisoformat(entry))
        except ValueError:
            codes.append(entry)
    return tuple(codes), frozenset(dates)


@contextmanager
def unknown_calendars_named() -> Iterator[None]:
    """Turn UnknownCalendar into a ConfigurationError that names the setting."""
    try:
        yield
    except UnknownCalendar as error:
        raise ConfigurationError(f'CONTACT_GUARD["HOLIDAYS"]: {error}') from error

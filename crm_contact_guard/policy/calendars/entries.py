"""Entries of a calendar as people enter them on a page, with each mistake named by its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.utils.translation import gettext as _

from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage
from crm_contact_guard.policy.hours import parse_spans
from crm_contact_guard.policy.working_time.calendar import HORIZON
from crm_contact_guard.policy.working_time.case import WEEKDAYS
from crm_contact_guard.policy.working_time.clock import DAY, Span

#: Days before today for which something can be entered, and after which it is dropped.
PAST: Final = 366
_LONGEST_CALL: Final = timedelta(days=31)
_DAY: Final = timedelta(days=1)

#: The kinds of entries for an employee and for the company, which are the keys of a calendar.
FOR_EMPLOYEE: Final = ("roster", "leave", "leave_parts", "on_call", "open", "closed")
FOR_COMPANY: Final = ("open", "closed")


def entry_of(kind: str, given: Mapping[str, str], *, today: date) -> Any:
    """Return the entry in the format of an employee's ``calendar``. Raise InvalidMessage, which names the field.

    Fields: ``first`` and ``last`` (dates), ``start`` and ``end`` (times of day; with a date for ``on_call``), and for a
    roster the hours of each weekday, ``mon`` to ``sun``.
    """
    return _KINDS[kind](given, today)


def ends_on(kind: str, entry: Any) -> date:
    """Return the last day of an entry."""
    if kind == "roster":
        return date.fromisoformat(entry["to"])
    if kind in ("leave", "on_call"):
        return date.fromisoformat(entry[1][:10])
    return date.fromisoformat(entry if kind in FOR_COMPANY else entry[0])


def overlaps(kind: str, one: Any, other: Any) -> bool:
    """Whether two entries of a kind cover the same time, so that one of them is likely to be a mistake."""
    if kind == "roster":
        return bool(one["from"] <= other["to"] and other["from"] <= one["to"])
    if kind == "leave":
        return bool(one[0] <= other[1] and other[0] <= one[1])
    if kind == "on_call":
        return bool(one[0] < other[1] and other[0] < one[1])
    return bool(one == other)


def _date(given: Mapping[str, str], field: str, today: date) -> date:
    try:
        day = date.fromisoformat(given.get(field, "").strip())
    except ValueError:
        raise InvalidMessage(_("Enter a date such as 2026-05-06."), field=field) from None
    if day < today - PAST * _DAY:
        raise InvalidMessage(_("This date is more than a year ago."), field=field)
    if day > today + HORIZON * _DAY:
        raise InvalidMessage(_("This date is more than %(days)s days ahead.") % {"days": HORIZON}, field=field)
    return day


def _period(given: Mapping[str, str], today: date) -> tuple[date, date]:
    first = _date(given, "first", today)
    last = _date(given, "last", today) if given.get("last", "").strip() else first
    if last < first:
        raise InvalidMessage(_("The last day is before the first."), field="last")
    return first, last


def _leave(given: Mapping[str, str], today: date) -> list[str]:
    return [day.isoformat() for day in _period(given, today)]


def _leave_part(given: Mapping[str, str], today: date) -> list[str]:
    day = _date(given, "first", today)
    start, end = _clock_time(given, "start", "{}-24:00"), _clock_time(given, "end", "00:00-{}")
    if start == end:
        raise InvalidMessage(_("The end is the same as the start."), field="end")
    return [day.isoformat(), start, end]


def _clock_time(given: Mapping[str, str], field: str, as_span: str) -> str:
    text = given.get(field, "").strip()
    try:
        if len(parse_spans(as_span.format(text[:10]), "")) == 1:
            return text.zfill(5)
    except ConfigurationError:
        pass  # named with the next line
    raise InvalidMessage(_("Enter a time such as 09:00."), field=field)


def _call(given: Mapping[str, str], today: date) -> list[str]:
    times = []
    for field in ("start", "end"):
        try:
            at = datetime.fromisoformat(given.get(field, "").strip())
        except ValueError:
            at = None  # named with the next line
        if at is None or at.tzinfo is not None:
            raise InvalidMessage(_("Enter a date and time such as 2026-05-06T09:00."), field=field)
        _date({field: at.date().isoformat()}, field, today)
        times.append(at)
    if times[1] <= times[0]:
        raise InvalidMessage(_("The end is not after the start."), field="end")
    if times[1] - times[0] > _LONGEST_CALL:
        raise InvalidMessage(_("On-call duty of more than 31 days must be entered in parts."), field="end")
    return [at.isoformat(timespec="minutes") for at in times]


def _roster(given: Mapping[str, str], today: date) -> dict[str, Any]:
    first, last = _period(given, today)
    week = [_written(_spans(given.get(name, ""), name), name) for name in WEEKDAYS]
    days = {}
    for step in range((last - first).days + 1):
        day = first + step * _DAY
        if week[day.weekday()]:
            days[day.isoformat()] = week[day.weekday()]
    return {"from": first.isoformat(), "to": last.isoformat(), "days": days}


def _spans(text: str, field: str) -> list[Span]:
    try:
        return sorted(parse_spans(text[:500], ""), key=lambda span: span.start)
    except ConfigurationError:
        raise InvalidMessage(_("Enter hours such as 09:00-12:00, 13:00-18:00."), field=field) from None


def _written(spans: list[Span], field: str) -> list[list[str]]:
    if any(later.start < earlier.end for earlier, later in pairwise(spans)):
        raise InvalidMessage(_("These hours overlap."), field=field)
    return [[_clock(span.start), "24:00" if span.end == DAY else _clock(span.end % DAY)] for span in spans]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(given: Mapping[str, str], today: date) -> str:
    return _date(given, "first", today).isoformat()


_KINDS: Final[Mapping[str, Callable[[Mapping[str, str], date], Any]]] = {
    "roster": _roster,
    "leave": _leave,
    "leave_parts": _leave_part,
    "on_call": _call,
    "open": _day,
    "closed": _day,
}

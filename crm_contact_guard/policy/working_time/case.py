"""Reads cases for the command line from JSON, and writes answers as JSON. Errors name the path of the invalid value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from crm_contact_guard.policy.working_time.answering import Answer, answer
from crm_contact_guard.policy.working_time.calendar import Employee, Roster, Week
from crm_contact_guard.policy.working_time.clock import DAY, Span, span
from crm_contact_guard.policy.working_time.holidays import UnknownCalendar, calendar
from crm_contact_guard.policy.working_time.quiet import Customer, Side

#: Keys that a calendar may contain besides weekly hours.
CALENDAR = ("breaks", "roster", "leave", "leave_parts", "on_call", "open", "closed", "holidays")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_T = TypeVar("_T")
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)


class BadCase(ValueError):
    """A case contains an invalid value. The message names its path."""


@dataclass(frozen=True)
class Case:
    employee: Employee
    customer: Customer | None
    messages: tuple[tuple[Side, datetime], ...]
    sent_at: datetime
    emergency: bool

    def answer(self) -> Answer:
        return answer(
            self.employee,
            self.sent_at,
            customer=self.customer,
            messages=self.messages,
            emergency=self.emergency,
        )


def read(value: Any) -> Case:
    """Return the case described by a JSON object. Raise BadCase. Unknown keys are ignored."""
    case = _object(value, "case")
    customer = case.get("customer")
    emergency = case.get("emergency", False)
    if not isinstance(emergency, bool):
        raise BadCase(f"emergency: {emergency!r} is not true or false")
    return Case(
        employee=_employee(case.get("employee"), "employee"),
        customer=None if customer is None else _customer(customer, "customer"),
        messages=_list(case.get("talk"), "talk", _message),
        sent_at=_utc(case.get("sent_at"), "sent_at"),
        emergency=emergency,
    )


def written(found: Answer) -> dict[str, object]:
    """Return the answer as JSON values, with times such as ``2026-05-06T01:00:00Z``."""
    return {
        name: value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in asdict(found).items()
    }


def with_calendar(employee: Employee, value: Any, path: str) -> Employee:
    """Return the employee with the breaks, roster, leave, on-call duty and dates in a JSON object.

    Values of ``employee`` are kept unless the object has a key for them. Raise BadCase, even for an unknown key.
    """
    given = _object(value, path)
    for key in given:
        if key not in CALENDAR:
            raise BadCase(f"{path}.{key}: unknown; known are {', '.join(CALENDAR)}")
    named = {"rosters" if key == "roster" else key for key in given}
    return replace(employee, **{name: part for name, part in _dates(given, path).items() if name in named})


def _employee(value: Any, path: str) -> Employee:
    given = _object(value, path)
    zone, weekly = _zone(given.get("zone"), f"{path}.zone"), _week(given.get("weekly"), f"{path}.weekly")
    return Employee(zone=zone, weekly=weekly, **_dates(given, path))


def _dates(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    roster = given.get("roster")
    return {
        "breaks": _week(given.get("breaks"), f"{path}.breaks"),
        "rosters": _list(roster, f"{path}.roster", _roster)
        if isinstance(roster, list) or roster is None
        else (_roster(roster, f"{path}.roster"),),
        "leave": _list(given.get("leave"), f"{path}.leave", _days),
        "leave_parts": _list(given.get("leave_parts"), f"{path}.leave_parts", _part),
        "on_call": _list(given.get("on_call"), f"{path}.on_call", _call),
        "open": frozenset(_list(given.get("open"), f"{path}.open", _date)),
        "closed": frozenset(_list(given.get("closed"), f"{path}.closed", _date)),
        "holidays": _list(given.get("holidays"), f"{path}.holidays", _code),
    }


def _customer(value: Any, path: str) -> Customer:
    given = _object(value, path)
    days = _list(given.get("quiet_days"), f"{path}.quiet_days", _quiet_day)
    return Customer(
        zone=_zone(given.get("zone"), f"{path}.zone"),
        windows=_list(given.get("quiet"), f"{path}.quiet", _span),
        weekdays=frozenset(day for day in days if isinstance(day, int)),
        dates=frozenset(day for day in days if isinstance(day, date)),
        holidays=_list(given.get("quiet_holidays"), f"{path}.quiet_holidays", _code),
    )


def _roster(value: Any, path: str) -> Roster:
    given = _object(value, path)
    first, last = _date(given.get("from"), f"{path}.from"), _date(given.get("to"), f"{path}.to")
    if last < first:
        raise BadCase(f"{path}.to: {last} is before {path}.from, {first}")
    days = {
        _date(day, f"{path}.days"): _list(spans, f"{path}.days.{day}", _span)
        for day, spans in _object(given.get("days", {}), f"{path}.days").items()
    }
    return Roster(first, last, days)


def _week(value: Any, path: str) -> Week:
    days = _object(value if value is not None else {}, path)
    for name in days:
        if name not in WEEKDAYS:
            raise BadCase(f"{path}.{name}: not a weekday; they are {', '.join(WEEKDAYS)}")
    return tuple(_list(days.get(name), f"{path}.{name}", _span) for name in WEEKDAYS)


def _span(value: Any, path: str) -> Span:
    start, end = _several(value, path, 2)
    return span(_minute(start, f"{path}[0]", most=DAY - 1), _minute(end, f"{path}[1]", most=DAY))


def _part(value: Any, path: str) -> tuple[date, Span]:
    day, *times = _several(value, path, 3)
    start, end = (_minute(text, f"{path}[{at}]", most=DAY - 2 + at) for at, text in enumerate(times, 1))
    return _date(day, f"{path}[0]"), span(start, end)


def _days(value: Any, path: str) -> tuple[date, date]:
    first, last = (_date(day, f"{path}[{at}]") for at, day in enumerate(_several(value, path, 2)))
    if last < first:
        raise BadCase(f"{path}[1]: {last} is before {first}")
    return first, last


def _call(value: Any, path: str) -> tuple[datetime, datetime]:
    start, end = (_local(text, f"{path}[{at}]") for at, text in enumerate(_several(value, path, 2)))
    if end <= start:
        raise BadCase(f"{path}[1]: {end.isoformat()} is not after {start.isoformat()}")
    return start, end


def _message(value: Any, path: str) -> tuple[Side, datetime]:
    who, at = _several(value, path, 2)
    if who not in tuple(Side):
        raise BadCase(f"{path}[0]: {who!r} is neither employee nor customer")
    return Side(who), _utc(at, f"{path}[1]")


def _minute(value: Any, path: str, *, most: int) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else most + 1
    if minute > most:
        raise BadCase(f"{path}: {value!r} is not a time of day from 00:00 to {most // 60:02}:{most % 60:02}")
    return minute


def _date(value: Any, path: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadCase(f"{path}: {value!r} is not a date such as 2026-05-06") from None


def _quiet_day(value: Any, path: str) -> int | date:
    return WEEKDAYS.index(value) if value in WEEKDAYS else _date(value, path)


def _local(value: Any, path: str) -> datetime:
    day, _, clock = value.partition("T") if isinstance(value, str) else ("", "", "")
    if clock == "24:00":
        return datetime.combine(_date(day, path), time()) + timedelta(days=1)
    at = _datetime(value, path, "2026-07-18T09:00")
    if at.tzinfo is not None:
        raise BadCase(f"{path}: {value!r} has a time zone; give the local time")
    return at


def _utc(value: Any, path: str) -> datetime:
    at = _datetime(value, path, "2026-05-06T01:00:00Z")
    if at.tzinfo is None:
        raise BadCase(f"{path}: {value!r} has no time zone; give UTC, such as 2026-05-06T01:00:00Z")
    return at.astimezone(UTC)


def _datetime(value: Any, path: str, example: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadCase(f"{path}: {value!r} is not a time such as {example}") from None


def _zone(value: Any, path: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (TypeError, ValueError, OSError, LookupError):
        raise BadCase(f"{path}: {value!r} is not a time zone such as Asia/Tokyo") from None


def _code(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise BadCase(f"{path}: {value!r} is not a code such as JP or GB-ENG")
    try:
        calendar(value, 2026)
    except UnknownCalendar as error:
        raise BadCase(f"{path}: {error}") from None
    return value


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadCase(f"{path}: {value!r} is not an object")
    return value


def _several(value: Any, path: str, number: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != number:
        raise BadCase(f"{path}: {value!r} is not a list of {number}")
    return value


def _list(value: Any, path: str, of: Callable[[Any, str], _T]) -> tuple[_T, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadCase(f"{path}: {value!r} is not a list")
    return tuple(of(entry, f"{path}[{at}]") for at, entry in enumerate(value))

"""The hours in which customers shouldn't be disturbed, by the customer's clock.

They are the customer's own, as the host gives them, or else those of the setting ``QUIET_HOURS``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours, working_time
from crm_contact_guard.policy.working_time import UnknownCalendar
from crm_contact_guard.policy.working_time.holidays import calendar

_SETTING: Final = 'CONTACT_GUARD["QUIET_HOURS"]'
KEYS: Final = ("daily", "days", "holidays")


def quiet_hours_of(customer: Customer) -> working_time.Customer | None:
    """Return the customer's quiet hours; None without any, or if the customer's time zone is unknown or invalid.

    Hours of the customer's own that can't be read don't count; ``contact_guard_check`` reports them. Raise
    ConfigurationError for an invalid setting.
    """
    zone = _zone(customer.timezone)
    if zone is None:
        return None
    if customer.quiet_hours is not None and not problem(customer.quiet_hours):
        return read(customer.quiet_hours, zone, "quiet_hours") if customer.quiet_hours else None
    return read(settings.QUIET_HOURS, zone, _SETTING) if settings.QUIET_HOURS else None


def problem(own: Any) -> str:
    """Return why a customer's own quiet hours can't be used; empty if they can."""
    try:
        read(own, ZoneInfo("UTC"), "quiet_hours")
    except ConfigurationError as error:
        return str(error)
    return ""


def read(value: Any, zone: ZoneInfo, where: str) -> working_time.Customer:
    """Return the quiet hours in a value like ``{"daily": "21:00-08:00", "days": ["sun"], "holidays": ["JP"]}``.

    Raise ConfigurationError, which names the entry after ``where``.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where} must be a dict with {', '.join(KEYS)}")
    for key in value:
        if key not in KEYS:
            raise ConfigurationError(f"{where}[{key!r}] is unknown; known are {', '.join(KEYS)}")
    days = [_day(day, f'{where}["days"]') for day in _texts(value, "days", where)]
    return working_time.Customer(
        zone=zone,
        windows=tuple(hours.parse_spans(value.get("daily", ""), f'{where}["daily"]')),
        weekdays=frozenset(number for day in days if not isinstance(day, date) for number in day),
        dates=frozenset(day for day in days if isinstance(day, date)),
        holidays=tuple(_code(code, f'{where}["holidays"]') for code in _texts(value, "holidays", where)),
    )


def check() -> None:
    """Raise ConfigurationError if the setting is invalid."""
    if settings.QUIET_HOURS:
        read(settings.QUIET_HOURS, ZoneInfo("UTC"), _SETTING)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _texts(value: Mapping[str, Any], key: str, where: str) -> list[str]:
    given = value.get(key, [])
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise ConfigurationError(f"{where}[{key!r}] must be a list")
    return [str(entry) for entry in given]


def _day(text: str, where: str) -> date | list[int]:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return hours.parse_days(text, where)


def _code(code: str, where: str) -> str:
    try:
        calendar(code, 2026)
    except UnknownCalendar as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return code

"""When an alert should be closed, in the working time of its addressee, or of whoever stands in.

The setting ``ALERT_DEADLINES`` gives working hours by severity, and after how many more an overdue alert is passed on;
``ALERT_REOPEN_DAYS``, until when new evidence opens a closed alert again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from crm_contact_guard.conf import settings
from crm_contact_guard.directory import absences
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours
from crm_contact_guard.supervision.models import Severity

ESCALATE: Final = "escalate"
#: Working hours; a working day counts as eight. None: no deadline, or never passed on.
DEFAULTS: Final[Mapping[str, float | None]] = {"high": 4, "medium": 16, "low": 16, ESCALATE: 4}
_NAMES: Final = {Severity.HIGH: "high", Severity.MEDIUM: "medium", Severity.LOW: "low"}
_MOST_HOURS: Final = 400
_MOST_DAYS: Final = 366


def allowed() -> Mapping[str, float | None]:
    """Return the setting with its defaults. Raise ConfigurationError if it has an unknown key or an unusable value."""
    given: Any = settings.ALERT_DEADLINES
    where = 'CONTACT_GUARD["ALERT_DEADLINES"]'
    if not isinstance(given, Mapping) or (given.keys() - DEFAULTS.keys()):
        raise ConfigurationError(f"{where} = {given!r}: use a dict with some of {', '.join(DEFAULTS)}")
    for name, value in given.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 < value <= _MOST_HOURS):
            raise ConfigurationError(f"{where}[{name!r}] = {value!r}: use None or hours above 0, up to {_MOST_HOURS}")
    return {**DEFAULTS, **given}


def reopen_within() -> timedelta:
    """Return the setting ``ALERT_REOPEN_DAYS``. Raise ConfigurationError if it isn't a number of days."""
    value = settings.ALERT_REOPEN_DAYS
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MOST_DAYS:
        words = f'CONTACT_GUARD["ALERT_REOPEN_DAYS"] = {value!r}: use a number of days from 0 to {_MOST_DAYS}'
        raise ConfigurationError(words)
    return timedelta(days=float(value))


def check() -> None:
    """Raise ConfigurationError if a setting of this module can't be used."""
    allowed()
    reopen_within()


def due_at(severity: int, addressee: Employee | None, now: datetime) -> datetime | None:
    """Return when an alert that is new to its addressee now should be closed, or None if there is no deadline."""
    return _after(allowed()[_NAMES[Severity(severity)]], addressee, now)


def escalates_at(person: Employee | None, now: datetime) -> datetime | None:
    """Return when an alert is passed on of which the person is reminded now, or None if that never happens."""
    return _after(allowed()[ESCALATE], person, now)


def _after(number: float | None, person: Employee | None, now: datetime) -> datetime | None:
    if number is None:
        return None
    return worked_by(person, now, timedelta(hours=number))


def worked_by(person: Employee | None, start: datetime, time: timedelta) -> datetime:
    """Return when the person, or whoever stands in, has worked for ``time`` since ``start``.

    Without a person, and if the working time isn't known, the hours are counted around the clock.
    """
    if person is not None:
        person = absences.away([person], start).get(person.pk) or person
        try:
            with hours.unknown_calendars_named():
                return hours.working_time_of(person).after_work(start, time) or start + time
        except ConfigurationError:
            pass  # reported by the system checks; an alert without a deadline would be forgotten
    return start + time

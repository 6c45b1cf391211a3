"""When notices that aren't urgent are sent: in the working time of the person who is told.

Mistakes in the hours of a person never prevent a notice: office hours from Monday to Friday count instead.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.working_time import Employee as WorkingTime
from crm_contact_guard.policy.working_time.clock import Span

_OFFICE = Span(9 * 60, 18 * 60)
_HOUR = timedelta(hours=1)


def open_from(person: Employee, at: datetime) -> datetime:
    """Return the first instant from ``at`` on at which the person is at work or on call."""
    try:
        with hours.unknown_calendars_named():
            found = hours.working_time_of(person).next_open(at)
    except ConfigurationError:
        found = None
    return found or _office(person).next_open(at) or at


def due(person: Employee, cadence: str, at: datetime) -> datetime:
    """Return when the digest that collects a notice of ``at`` is sent: later than ``at``.

    That is the start of the person's next working day, of their first one from the next Monday on, or the next full
    hour within their working time.
    """
    local = at.astimezone(hours.zone(person))
    if cadence == Cadence.HOURLY:
        return open_from(person, at.replace(minute=0, second=0, microsecond=0) + _HOUR)
    if cadence == Cadence.WEEKLY:
        return _day_start(person, local + timedelta(days=7 - local.weekday()))
    today = _day_start(person, local)
    return today if today > at else _day_start(person, local + timedelta(days=1))


def _day_start(person: Employee, local: datetime) -> datetime:
    """Return the start of the person's first shift on the local day of ``local`` or on the next day with a shift."""
    midnight = datetime.combine(local.date(), time(), tzinfo=local.tzinfo)
    try:
        with hours.unknown_calendars_named():
            found = hours.working_time_of(person).next_start(midnight)
    except ConfigurationError:
        found = None
    return found or _office(person).next_start(midnight) or midnight + timedelta(hours=9)


def _office(person: Employee) -> WorkingTime:
    return WorkingTime(zone=hours.zone(person), weekly=((_OFFICE,),) * 5 + ((), ()))

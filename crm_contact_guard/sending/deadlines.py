"""The time that a supervisor has for a decision on a held message, counted in the supervisor's working time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.routing import addressee

#: The working time in which a supervisor decides.
ALLOWED: Final = timedelta(hours=8)
_STEP: Final = timedelta(minutes=15)


def deadline(conversation: Conversation, now: datetime) -> datetime:
    """Return when the time for a decision on a message held now ends.

    If nobody can decide, or the working time of the person who can isn't known, the hours are counted around the clock.
    """
    allowed = ALLOWED
    decider = addressee(conversation)
    if decider is None:
        return now + allowed
    return _after_working(decider, now, allowed) or now + allowed


def _after_working(person: Employee, start: datetime, allowed: timedelta) -> datetime | None:
    """Return when the person has worked for ``allowed`` since ``start``, to the quarter of an hour; None if never."""
    try:
        calendar = hours.working_time_of(person)
        with hours.unknown_calendars_named():
            at: datetime | None = start
            while at is not None and allowed > timedelta(0):
                at = at if calendar.state(at).is_open else calendar.next_open(at)
                if at is not None:
                    step = min(_STEP, allowed)
                    at, allowed = at + step, allowed - step
            return at
    except ConfigurationError:
        return None

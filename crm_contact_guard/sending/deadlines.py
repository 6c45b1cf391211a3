"""The time that a supervisor has for a decision on a held message, counted in the supervisor's working time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.handling.deadlines import worked_by
from crm_contact_guard.supervision.routing import addressee

#: What happens at the deadline. The message is never sent without a decision.
ENDS: Final = ("return", "expire")
_MOST_HOURS: Final = 200


def deadline(conversation: Conversation, now: datetime) -> datetime:
    """Return when the time for a decision on a message held now ends.

    If nobody can decide, or the working time of the person who can isn't known, the hours are counted around the clock.
    """
    return worked_by(addressee(conversation), now, timedelta(hours=hold_hours()))


def hold_hours() -> float:
    """Return the setting ``HOLD_HOURS``. Raise ConfigurationError if it isn't a number of hours."""
    value = settings.HOLD_HOURS
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= _MOST_HOURS:
        raise ConfigurationError(f'CONTACT_GUARD["HOLD_HOURS"] = {value!r}: use a number above 0, up to {_MOST_HOURS}')
    return float(value)


def hold_ends() -> str:
    """Return the setting ``HOLD_ENDS``. Raise ConfigurationError if it isn't one of ``ENDS``."""
    value = settings.HOLD_ENDS
    if value not in ENDS:
        raise ConfigurationError(f'CONTACT_GUARD["HOLD_ENDS"] = {value!r}: use one of {", ".join(ENDS)}')
    return str(value)

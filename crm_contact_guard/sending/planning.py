"""Plans what becomes of a message after the decision: it goes at once, later, or when a supervisor approves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage
from crm_contact_guard.policy.decision import Action, Decision, Override
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.sending.deadlines import deadline

#: How far ahead a message can be scheduled.
LATEST: Final = timedelta(days=90)
#: The longest time for which sending can be undone, in seconds.
MOST_UNDO: Final = 60
_KINDS: Final = ("chat", "email")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the writer said about the sending. ``happened``: the message was sent in the past and is only recorded."""

    override: Override | None
    emergency: bool
    send_at: datetime | None
    happened: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What becomes of a message that is recorded. ``reason`` is None if it goes out at once."""

    reason: Wait.Reason | None = None
    due_at: datetime | None = None
    wanted_at: datetime | None = None

    @property
    def state(self) -> Wait.State:
        return Wait.State.HELD if self.reason is Wait.Reason.HOLD else Wait.State.WAITING


def check_time(send_at: datetime | None, *, now: datetime, emergency: bool) -> None:
    """Raise InvalidMessage (field ``send_at``) for a time that has passed or is too far away, or in an emergency."""
    if send_at is None:
        return
    if emergency:
        raise InvalidMessage(_("An emergency goes out at once: leave the time empty."), field="send_at")
    if send_at <= now:
        raise InvalidMessage(_("This time has passed. Choose a later one."), field="send_at")
    if send_at > now + LATEST:
        words = _("Choose a time within the next %(days)d days.") % {"days": LATEST.days}
        raise InvalidMessage(words, field="send_at")


def plan(
    decision: Decision, conversation: Conversation, carrier: Channel, known: Known, *, now: datetime
) -> Plan | None:
    """Return what becomes of a message, or None if it is kept back and not recorded.

    A message is kept back if it is blocked, if its writer has to answer a nudge first, or if there is no time at which
    it could go.
    """
    send_at = known.send_at
    match decision.action:
        case Action.BLOCK:
            return None
        case Action.NUDGE if known.override is None:
            return None
        case _ if known.happened:
            return Plan()
        case Action.HOLD:
            return Plan(reason=Wait.Reason.HOLD, due_at=deadline(conversation, now), wanted_at=send_at)
        case Action.SCHEDULE:
            earliest = decision.earliest_send_at
            if earliest is None:
                return None
            return Plan(reason=Wait.Reason.SCHEDULE, due_at=earliest, wanted_at=send_at)
    if send_at is not None:
        return Plan(reason=Wait.Reason.SCHEDULE, due_at=send_at, wanted_at=send_at)
    seconds = 0 if known.emergency else undo_seconds(carrier)
    return Plan(reason=Wait.Reason.UNDO, due_at=now + timedelta(seconds=seconds)) if seconds else Plan()


def undo_seconds(carrier: Channel) -> float:
    """Return for how long a message over the channel can be taken back. Raise ConfigurationError."""
    return seconds_by_kind()["email" if carrier.supports_subject else "chat"]


def seconds_by_kind() -> Mapping[str, float]:
    """Return the setting ``UNDO_SECONDS`` per kind of channel. Raise ConfigurationError for a value that is unknown."""
    chosen = settings.UNDO_SECONDS
    values = dict(chosen) if isinstance(chosen, Mapping) else dict.fromkeys(_KINDS, chosen)
    for kind, value in values.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if kind not in _KINDS or not is_number or not 0 <= value <= MOST_UNDO:
            raise ConfigurationError(
                f'CONTACT_GUARD["UNDO_SECONDS"] = {chosen!r}: use 0 to {MOST_UNDO}, for all channels or per kind: '
                + ", ".join(_KINDS)
            )
    return {kind: float(values.get(kind, 0)) for kind in _KINDS}

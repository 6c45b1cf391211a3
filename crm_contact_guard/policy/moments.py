"""Judges the time of a message that an employee is about to send in a conversation."""

from __future__ import annotations

from datetime import datetime

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import hours, working_time
from crm_contact_guard.policy.working_time.quiet import Side
from crm_contact_guard.record.models import Conversation, Direction

#: Number of earlier messages that are read to find out who wrote first.
_EARLIER = 200


def moment_of(
    employee: Employee, at: datetime, *, conversation: Conversation | None = None, emergency: bool = False
) -> working_time.Answer:
    """Return the judgement on a message sent at ``at`` (aware). Raise ConfigurationError for an invalid calendar."""
    with hours.unknown_calendars_named():
        return working_time.answer(
            hours.working_time_of(employee),
            at,
            messages=_messages(conversation, at) if conversation is not None else (),
            emergency=emergency,
        )


def _messages(conversation: Conversation, until: datetime) -> list[tuple[Side, datetime]]:
    """Return who wrote when in a conversation, newest first. Notes about calls and meetings don't count."""
    rows = conversation.messages.filter(occurred_at__lte=until).exclude(direction=Direction.NOTE)
    pairs = rows.order_by("-occurred_at", "-id").values_list("direction", "occurred_at")[:_EARLIER]
    return [(Side.CUSTOMER if direction == Direction.INBOUND else Side.EMPLOYEE, at) for direction, at in pairs]

"""Judges the time of a message that an employee sends in a conversation: hours, quiet hours, and who wrote first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.delivery.waits import went_at
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import hours, quiet_hours, working_time
from crm_contact_guard.policy.working_time.quiet import Side
from crm_contact_guard.record.models import Conversation, Direction, Message

#: Number of messages read at most. If a talk has more, the oldest of these counts as its first.
_MOST: Final = 200
#: States of messages that reached the customer or are about to. Messages without a delivery come from the host.
_GOES_OUT: Final = frozenset(
    (
        Delivery.State.QUEUED,
        Delivery.State.SENDING,
        Delivery.State.SENT,
        Delivery.State.DELIVERED,
        Delivery.State.READ,
        Delivery.State.UNCERTAIN,
        None,
    )
)


class Circumstance(StrEnum):
    """How a message outside working hours came about. The value is the name of the finding's detector."""

    OWN = "policy.hours"
    ANSWER = "policy.hours.answer"
    QUICK = "policy.hours.quick_answer"
    QUIET = "policy.hours.quiet"


def moment_of(
    employee: Employee,
    at: datetime,
    *,
    conversation: Conversation | None = None,
    emergency: bool = False,
    besides: UUID | None = None,
) -> working_time.Answer:
    """Return the judgement on a message sent at ``at`` (aware).

    Without ``conversation``, nobody has written before, and the customer has no quiet hours. ``besides`` is the ID of
    the message itself if it is recorded already. Raise ConfigurationError for an invalid calendar.
    """
    with hours.unknown_calendars_named():
        return working_time.answer(
            hours.working_time_of(employee),
            at,
            customer=quiet_hours.quiet_hours_of(conversation.customer) if conversation is not None else None,
            messages=_messages(conversation, at, besides) if conversation is not None else (),
            emergency=emergency,
        )


def circumstance_of(message: Message, employee: Employee) -> Circumstance:
    """Return how a recorded message of an employee outside working hours came about."""
    found = moment_of(employee, went_at(message), conversation=message.conversation, besides=message.pk)
    if found.quick_answer:
        return Circumstance.QUICK
    if found.first_by is Side.CUSTOMER:
        return Circumstance.ANSWER
    return Circumstance.QUIET if found.quiet_applies else Circumstance.OWN


def _messages(conversation: Conversation, until: datetime, besides: UUID | None) -> list[tuple[Side, datetime]]:
    """Return who wrote when, oldest first, from the beginning of the current talk on, but at most ``_MOST`` messages.

    Notes, automatic answers, messages that didn't go out, and files that were fetched later don't count.
    """
    rows = conversation.messages.filter(occurred_at__lte=until).exclude(direction=Direction.NOTE)
    rows = rows.filter(Q(direction=Direction.INBOUND) | Q(employee__isnull=False), reply_to__isnull=True)
    rows = (rows.exclude(pk=besides) if besides is not None else rows).order_by("-occurred_at", "-id")
    columns = rows.values_list("direction", "occurred_at", "delivery__state", "wait__ended_at")
    # One query, although most talks are short: a second one takes longer than reading these rows.
    page: list[tuple[Any, ...]] = list(columns[:_MOST])
    found: list[tuple[Side, datetime]] = []
    for direction, at, state, gone_at in page:
        inbound = direction == Direction.INBOUND
        if inbound or state in _GOES_OUT:
            # A message that waited was said when it went out, not when it was written.
            found.append((Side.CUSTOMER if inbound else Side.EMPLOYEE, gone_at or at))
    found.reverse()
    return sorted(found, key=lambda said: said[1])

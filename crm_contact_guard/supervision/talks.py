"""The conversation before a message, as input for detection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from crm_contact_guard.detection.types import Direction, ThreadMessage
from crm_contact_guard.record.models import AUTO, Message
from crm_contact_guard.record.reached import reached

#: How many messages, and how far back, are read when a message is inspected.
THREAD_MESSAGES = 30
THREAD_AGE = timedelta(days=7)


def talk_up_to(message: Message) -> list[Message]:
    """Return the message and earlier ones, oldest first, without automatic answers.

    A note is read on its own, and never with other messages.
    """
    if message.direction == Direction.NOTE.value:
        return [message]
    earlier = (
        Message.objects.filter(
            conversation_id=message.conversation_id,
            occurred_at__lte=message.occurred_at,
            occurred_at__gte=message.occurred_at - THREAD_AGE,
        )
        .exclude(direction=Direction.NOTE.value)
        .exclude(source=AUTO)
    )
    # Among messages with the same time, the requested one is the newest.
    rows = reached(earlier.exclude(pk=message.pk)).order_by("-occurred_at", "-id")[: THREAD_MESSAGES - 1]
    return [*list(rows)[::-1], message]


def as_thread(rows: Sequence[Message]) -> list[ThreadMessage]:
    """Return the messages in the form that ``detection.read_message`` takes, with pauses in minutes."""
    thread = []
    previous = rows[0].occurred_at
    for row in rows:
        pause = (row.occurred_at - previous).total_seconds() / 60
        thread.append(ThreadMessage(row.text or "", Direction(row.direction), pause))
        previous = row.occurred_at
    return thread

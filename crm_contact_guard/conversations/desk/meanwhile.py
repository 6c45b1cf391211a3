"""What came into a conversation while somebody was writing in it, so that nobody answers what has changed."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Q

from crm_contact_guard.conversations.restrictions.standing import blocked_since
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import AUTO, Conversation, Direction, Message

_MOST: Final = 5


def newest(conversation: Conversation) -> str:
    """Return the ID of the conversation's newest message; "" if it has none."""
    rows = Message.objects.filter(conversation=conversation).order_by("-occurred_at", "-id")
    key = rows.values_list("pk", flat=True).first()
    return str(key) if key is not None else ""


def since(conversation: Conversation, seen: str, writer: Employee) -> list[Message]:
    """Return up to five messages of others recorded since the writer saw the message ``seen``, oldest first.

    Return none if ``seen`` isn't a message of the conversation, or if a restriction keeps messages from the writer.
    """
    try:
        last = Message.objects.filter(pk=UUID(seen), conversation=conversation).first()
    except ValueError:
        return []
    if last is None:
        return []
    others = Q(direction=Direction.INBOUND) | (Q(direction=Direction.OUTBOUND) & ~Q(employee=writer))
    rows = Message.objects.filter(others, conversation=conversation, recorded_at__gt=last.recorded_at)
    found = list(rows.exclude(source=AUTO).order_by("recorded_at", "id")[:_MOST])
    return [] if found and blocked_since(conversation.customer) is not None else found

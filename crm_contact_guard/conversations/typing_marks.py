"""Typing indicators of the web chat.

Typing indicators are timestamps in the rows of chat links, and are valid for a few seconds. They are not recorded. They
are stored in the database because all web processes must see them and the host may have no shared cache.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.record.models import Conversation

#: Lifetime of an indicator. Open pages poll every 2.5 seconds.
LASTS = timedelta(seconds=7)
#: Minimum interval between two writes.
REST = timedelta(seconds=2)


def customer_types(link: ChatLink) -> None:
    """Note that the holder of the link is typing."""
    now = timezone.now()
    if link.customer_typing_at is None or link.customer_typing_at <= now - REST:
        ChatLink.objects.filter(pk=link.pk).update(customer_typing_at=now)


def employee_types(conversation: Conversation) -> None:
    """Note that an employee is typing in the conversation."""
    now = timezone.now()
    rested = Q(employee_typing_at__isnull=True) | Q(employee_typing_at__lte=now - REST)
    rows = _open(conversation).filter(rested)
    if rows.exists():  # even an UPDATE of no rows takes SQLite's write lock
        rows.update(employee_typing_at=now)


def customer_wrote(link: ChatLink) -> None:
    """Clear the customer's indicator after they have sent a message."""
    ChatLink.objects.filter(pk=link.pk, customer_typing_at__isnull=False).update(customer_typing_at=None)


def employee_wrote(conversation: Conversation) -> None:
    """Clear the employee's indicator after they have sent a message."""
    ChatLink.objects.filter(conversation=conversation, employee_typing_at__isnull=False).update(employee_typing_at=None)


def customer_is_typing(conversation: Conversation) -> bool:
    """Whether the holder of one of the conversation's links is typing."""
    return _open(conversation).filter(customer_typing_at__gt=timezone.now() - LASTS).exists()


def employee_is_typing(link: ChatLink) -> bool:
    """Whether an employee is typing in the link's conversation."""
    return link.employee_typing_at is not None and link.employee_typing_at > timezone.now() - LASTS


def _open(conversation: Conversation) -> QuerySet[ChatLink]:
    rows: QuerySet[ChatLink] = ChatLink.objects.filter(
        conversation=conversation, revoked_at__isnull=True, expires_at__gt=timezone.now()
    )
    return rows

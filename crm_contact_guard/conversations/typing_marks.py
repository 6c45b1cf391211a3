"""Who is writing in a web chat right now. Marks of seconds, on the chat's links: no row is added and nothing of it is
recorded, and any number of web processes see them, whatever cache the host has."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.record.models import Conversation

#: Seconds after which somebody who has stopped counts as having stopped; open pages ask each 2.5 seconds.
LASTS = timedelta(seconds=7)
#: Not written more often, however often a page says so.
REST = timedelta(seconds=2)


def customer_types(link: ChatLink) -> None:
    """The holder of the link is writing."""
    now = timezone.now()
    if link.customer_typing_at is None or link.customer_typing_at <= now - REST:
        ChatLink.objects.filter(pk=link.pk).update(customer_typing_at=now)


def employee_types(conversation: Conversation) -> None:
    """Somebody of the company is writing to the holders of the conversation's links."""
    now = timezone.now()
    rested = Q(employee_typing_at__isnull=True) | Q(employee_typing_at__lte=now - REST)
    rows = _open(conversation).filter(rested)
    if rows.exists():  # an UPDATE of nothing would still wait for SQLite's one writer
        rows.update(employee_typing_at=now)


def customer_wrote(link: ChatLink) -> None:
    """What was being written has been sent."""
    ChatLink.objects.filter(pk=link.pk, customer_typing_at__isnull=False).update(customer_typing_at=None)


def employee_wrote(conversation: Conversation) -> None:
    """As ``customer_wrote``."""
    ChatLink.objects.filter(conversation=conversation, employee_typing_at__isnull=False).update(employee_typing_at=None)


def customer_is_typing(conversation: Conversation) -> bool:
    """Whether the holder of one of the conversation's links is writing."""
    return _open(conversation).filter(customer_typing_at__gt=timezone.now() - LASTS).exists()


def employee_is_typing(link: ChatLink) -> bool:
    """Whether somebody of the company is writing to the link's holder."""
    return link.employee_typing_at is not None and link.employee_typing_at > timezone.now() - LASTS


def _open(conversation: Conversation) -> QuerySet[ChatLink]:
    rows: QuerySet[ChatLink] = ChatLink.objects.filter(
        conversation=conversation, revoked_at__isnull=True, expires_at__gt=timezone.now()
    )
    return rows

"""Erases the reader's explanations of erased messages."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Min

from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Message


def forget(message_ids: Sequence[UUID]) -> None:
    """Erase the explanations that may reveal these messages: their own, and those of later messages of the same
    conversations, which were read together with them."""
    conversations = (
        Message.objects.filter(pk__in=message_ids).order_by().values("conversation").annotate(since=Min("occurred_at"))
    )
    for row in list(conversations):
        # A single UPDATE also sees answers that were committed after this transaction began.
        since = Message.objects.filter(conversation=row["conversation"], occurred_at__gte=row["since"])
        ReaderAnswer.objects.filter(message__in=since.values("pk"), why__isnull=False).update(why=None)

"""Erases the reader's explanations that may reveal erased messages."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Min

from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Message


def forget(message_ids: Sequence[UUID]) -> None:
    """Erase the explanations that may reveal these messages.

    Those are the messages' own explanations and those of later messages in the same conversations, since the reader saw
    the earlier messages too.
    """
    conversations = (
        Message.objects.filter(pk__in=message_ids).order_by().values("conversation").annotate(since=Min("occurred_at"))
    )
    for row in list(conversations):
        # A single UPDATE also sees answers that were committed after this transaction began.
        since = Message.objects.filter(conversation=row["conversation"], occurred_at__gte=row["since"])
        ReaderAnswer.objects.filter(message__in=since.values("pk"), why__isnull=False).update(why=None)

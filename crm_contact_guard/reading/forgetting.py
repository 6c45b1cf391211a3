"""Forgetting what the reader said of messages that are erased."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Min

from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Message


def forget(message_ids: Sequence[UUID]) -> None:
    """Empty the sentences that may tell of these messages: those about them, and about later ones of the same talk,
    which were read together with them."""
    talks = (
        Message.objects.filter(pk__in=message_ids).order_by().values("conversation").annotate(since=Min("occurred_at"))
    )
    for talk in list(talks):
        # By one UPDATE alone, which sees answers that were committed since this transaction began.
        since = Message.objects.filter(conversation=talk["conversation"], occurred_at__gte=talk["since"])
        ReaderAnswer.objects.filter(message__in=since.values("pk"), why__isnull=False).update(why=None)

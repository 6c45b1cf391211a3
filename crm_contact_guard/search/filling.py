"""Keep the index in step with the record. A task fills it, so that recording a message never waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Exists, OuterRef, QuerySet

from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Message
from crm_contact_guard.search.engines import engine
from crm_contact_guard.search.folding import fold
from crm_contact_guard.search.models import SearchEntry

#: How much later than its neighbours a message may be committed. IDs are in the order in which messages were begun.
LATE: Final = timedelta(hours=1)
BATCH: Final = 500
#: Most messages that one run of the task adds, so that it ends within a minute.
MOST: Final = 20_000


def missing() -> QuerySet[Message]:
    """Return the messages that the index lacks."""
    newest = SearchEntry.objects.order_by("-number").values_list("message_id", flat=True).first()
    rows = Message.objects.filter(salt__isnull=False)
    if newest is not None:
        rows = rows.filter(pk__gt=_earlier(newest, LATE))
    return rows.filter(~Exists(SearchEntry.objects.filter(message_id=OuterRef("pk"))))


def fill(most: int = MOST) -> int:
    """Add messages that the index lacks, oldest first. Return how many. Another process may do the same meanwhile."""
    count = 0
    while count < most and (added := _add(min(BATCH, most - count))):
        count += added
    return count


def forget(message_ids: Sequence[UUID]) -> None:
    """Remove erased messages from the index. Called within the erasure's transaction."""
    SearchEntry.objects.filter(message_id__in=message_ids).delete()
    engine().forget(message_ids)


def clear() -> None:
    """Empty the index. The task fills it again."""
    SearchEntry.objects.all().delete()


def searched(subject: str | None, text: str | None) -> str:
    """Return the part of a message that a search reads, folded."""
    return fold(f"{subject or ''}\n{text or ''}")


def _add(most: int) -> int:
    found = engine()
    try:
        with database.atomic():
            last = SearchEntry.objects.order_by("-number").values_list("number", flat=True).first() or 0
            # Locked against an erasure, whose removal from the index would otherwise come too early.
            rows = (
                missing()
                .order_by("pk")
                .select_for_update(no_key=_can_lock_weakly())
                .values_list("pk", "subject", "text")
            )
            entries = [
                SearchEntry(number=number, message_id=key, terms=found.terms(number, searched(subject, text)))  # type: ignore[misc]  # a list on PostgreSQL
                for number, (key, subject, text) in enumerate(rows, last + 1)
            ]
            SearchEntry.objects.bulk_create(entries)
    except IntegrityError:
        return 0  # another process added them
    return len(entries)


def _can_lock_weakly() -> bool:
    """Whether a lock of a message lets events about it be recorded meanwhile."""
    return bool(database.connection().features.has_select_for_no_key_update)


def _earlier(key: UUID, by: timedelta) -> UUID:
    """Return the smallest UUIDv7 of a time ``by`` before that of ``key`` (RFC 9562, 5.7: 48 bits of milliseconds)."""
    milliseconds = (key.int >> 80) - int(by / timedelta(milliseconds=1))
    return UUID(int=max(milliseconds, 0) << 80)

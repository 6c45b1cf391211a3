"""Read messages for a stream in batches, in constant memory and linear time.

Rows are paged by key instead of a database cursor. This works with connection poolers, keeps MySQL's client from
loading the whole result into memory, and leaves no transaction open while a slow client downloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from crm_contact_guard.record.models import Conversation, Message

#: Rows per query. Larger batches are hardly any faster, need more memory, and delay the first byte.
BATCH = 1000
#: Number of conversations whose rows one query counts.
_TALKS = 500

Shape = Callable[[QuerySet[Message]], "QuerySet[Message, Any]"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The messages to read.

    Without ``talks``, all ``rows`` are read, the oldest record first. With ``talks``, the ``rows`` of these
    conversations are read, the oldest conversation first, and within a conversation the oldest record first.

    ``talks`` is for viewers who may read only part of the record. Without it, the database would sort that part of a
    large table by ID for every batch.
    """

    rows: QuerySet[Message]
    talks: QuerySet[Conversation] | None = None

    def batches(self, shape: Shape, *, last_id: Callable[[Any], str]) -> Iterator[list[Any]]:
        """Yield batches of rows as returned by ``shape``. ``last_id`` extracts the ID of a row."""
        if self.talks is None:
            yield from _by_id(shape(self.rows), last_id)
            return
        for group in _groups(self.rows, self.talks):
            rows = shape(self.rows.filter(conversation_id__in=group))
            if len(group) == 1:
                yield from _by_id(rows, last_id)
            else:
                yield list(rows.order_by("conversation_id", "id"))


def _by_id(rows: QuerySet[Message, Any], last_id: Callable[[Any], str]) -> Iterator[list[Any]]:
    ordered = rows.order_by("id")
    after: UUID | None = None
    while True:
        batch = list((ordered if after is None else ordered.filter(id__gt=after))[:BATCH])
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = UUID(last_id(batch[-1]))


def _groups(rows: QuerySet[Message], talks: QuerySet[Conversation]) -> Iterator[list[UUID]]:
    """Yield groups of conversations with at most ``BATCH`` rows per group. A longer conversation is its own group."""
    group: list[UUID] = []
    size = 0
    for talk, number in chain.from_iterable(_numbers(rows, talks)):
        if group and size + number > BATCH:
            yield group
            group, size = [], 0
        group.append(talk)
        size += number
    if group:
        yield group


def _numbers(rows: QuerySet[Message], talks: QuerySet[Conversation]) -> Iterator[list[tuple[UUID, int]]]:
    """Yield pages of conversations with their numbers of rows, ordered by ID. Empty conversations are left out."""
    ids = talks.order_by("id").values_list("pk", flat=True)
    page = list(ids[:_TALKS])
    while page:
        counted = rows.filter(conversation_id__in=page).order_by().values_list("conversation_id")
        numbers = dict(counted.annotate(number=Count("pk")))
        yield [(talk, numbers[talk]) for talk in page if talk in numbers]
        page = list(ids.filter(pk__gt=page[-1])[:_TALKS])

"""Reads messages for a stream in batches, in constant memory and linear time.

Rows are paged by key, without a cursor: it works with connection poolers, MySQL's client does not load the whole result
into memory, and no transaction stays open while a slow client downloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from crm_contact_guard.record.models import Conversation, Message

#: Rows per query. Larger batches are hardly faster, need more memory and delay the first byte.
BATCH = 1000
#: Conversations counted in one query.
_TALKS = 500

Shape = Callable[[QuerySet[Message]], "QuerySet[Message, Any]"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What to read. Without ``talks``: all ``rows``, oldest record first.

    With ``talks``: the ``rows`` of these conversations, oldest conversation first, and in each the oldest record first.
    For viewers who see only a part: the database would sort that part of a large table by id for every batch.
    """

    rows: QuerySet[Message]
    talks: QuerySet[Conversation] | None = None

    def batches(self, shape: Shape, *, last_id: Callable[[Any], str]) -> Iterator[list[Any]]:
        """Batches of rows as returned by ``shape``; ``last_id`` extracts the id of a row."""
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
    """Groups of conversations with at most a batch of rows together; a longer conversation forms a group alone."""
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
    """Conversations with their number of rows, in the order of their ids; without empty ones."""
    ids = talks.order_by("id").values_list("pk", flat=True)
    page = list(ids[:_TALKS])
    while page:
        counted = rows.filter(conversation_id__in=page).order_by().values_list("conversation_id")
        numbers = dict(counted.annotate(number=Count("pk")))
        yield [(talk, numbers[talk]) for talk in page if talk in numbers]
        page = list(ids.filter(pk__gt=page[-1])[:_TALKS])

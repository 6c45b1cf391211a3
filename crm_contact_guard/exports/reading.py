"""Reading messages for a stream: a batch at a time, in constant memory, in time linear in what is read.

Rows are read by key and not by a cursor: nothing has to survive a connection pooler, MySQL's client does not read the
whole answer into memory, no transaction stays open while a slow client downloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from crm_contact_guard.record.models import Conversation, Message

#: Rows a query. Larger is hardly faster, takes more memory, and the first byte comes later.
BATCH = 1000
#: Conversations looked at in one go.
_TALKS = 500

Shape = Callable[[QuerySet[Message]], "QuerySet[Message, Any]"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What to read. Without ``talks``, all ``rows``, oldest record first.

    With ``talks``, the ``rows`` of these conversations: oldest conversation first, and in each the oldest record first.
    That is for people who see a part: sorting a part of a large table by id would begin anew with every batch.
    """

    rows: QuerySet[Message]
    talks: QuerySet[Conversation] | None = None

    def batches(self, shape: Shape, *, last_id: Callable[[Any], str]) -> Iterator[list[Any]]:
        """Batches of rows as ``shape`` gives them; ``last_id`` takes a row's id out of it."""
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
    """Conversations in groups that have at most a batch of rows together; a longer one is a group of its own."""
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
    """Conversations that have rows, with how many, in the order of their ids."""
    ids = talks.order_by("id").values_list("pk", flat=True)
    page = list(ids[:_TALKS])
    while page:
        counted = rows.filter(conversation_id__in=page).order_by().values_list("conversation_id")
        numbers = dict(counted.annotate(number=Count("pk")))
        yield [(talk, numbers[talk]) for talk in page if talk in numbers]
        page = list(ids.filter(pk__gt=page[-1])[:_TALKS])

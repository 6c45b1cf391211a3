"""Read messages for a stream in batches, in constant memory and linear time.

Rows are paged by key instead of a database cursor. This works with connection poolers, keeps MySQL's client from
loading the whole result into memory, and leaves no transaction open while a slow client downloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Count, QuerySet

from crm_contact_guard.record.models import Conversation, Message

#: Rows per query. Larger batches are hardly any faster, need more memory, and delay the first byte.
BATCH = 1000
#: Number of conversations whose rows one query counts.
_TALKS = 500

Shape = Callable[[QuerySet[Message]], "QuerySet[Message, Any]"]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The content made of some rows, their number, and the ID of the last one."""

    content: bytes
    rows: int
    last: str


@dataclass(frozen=True, kw_only=True)
class Form:
    """How rows become content.

    ``shape`` selects columns, all of them text. ``last_id`` extracts the ID from a row, ``encode`` writes rows as text.
    """

    shape: Shape
    last_id: Callable[[Any], str]
    encode: Callable[[list[Any]], str]

    def chunk(self, rows: list[Any]) -> Chunk:
        return Chunk(content=self.encode(rows).encode(), rows=len(rows), last=self.last_id(rows[-1]))


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

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """Yield the rows' content in chunks of at most ``BATCH`` rows."""
        if self.talks is None:
            yield from _by_id(self.rows, form)
            return
        for group in _groups(self.rows, self.talks):
            rows = self.rows.filter(conversation_id__in=group)
            if len(group) == 1:
                yield from _by_id(rows, form)
            else:
                yield form.chunk(list(form.shape(rows).order_by("conversation_id", "id")))


def _by_id(rows: QuerySet[Message], form: Form) -> Iterator[Chunk]:
    ordered = form.shape(rows).order_by("id")
    batch = list(ordered[:BATCH])
    while batch:
        if len(batch) < BATCH:
            yield form.chunk(batch)
            return
        with _begun(ordered.filter(id__gt=UUID(form.last_id(batch[-1])))[:BATCH]) as fetch:
            chunk = form.chunk(batch)
            batch = fetch()
        yield chunk


@contextmanager
def _begun(rows: QuerySet[Message, Any]) -> Iterator[Callable[[], list[Any]]]:
    """Start a query, and yield a function that waits for its rows.

    With psycopg 3, PostgreSQL runs the query while Python encodes the batch before it. Other drivers run the query when
    the function is called. No row is awaited while a slow client downloads.
    """
    connection = connections[rows.db]
    connection.ensure_connection()
    if connection.vendor != "postgresql" or not _can_pipeline(connection.connection):
        yield lambda: list(rows)
        return
    sql, params = rows.query.get_compiler(connection=connection).as_sql()
    with connection.wrap_database_errors, connection.connection.pipeline(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        yield cursor.fetchall


def _can_pipeline(connection: Any) -> bool:
    """Whether the driver is psycopg 3 with a libpq of version 14 or newer."""
    return hasattr(connection, "pipeline") and import_module("psycopg").Pipeline.is_supported()


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

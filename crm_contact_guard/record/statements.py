"""Batch write statements: on PostgreSQL, several are sent as one.

All writes for a message then share one round trip, which takes longer than a statement itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections, transaction


class _Batch:
    def __init__(self, using: str) -> None:
        self.using = using
        self.statements: list[str] = []
        self.values: list[Any] = []
        self.callbacks: list[Callable[[], object]] = []


_batch: ContextVar[_Batch | None] = ContextVar("contact_guard_statement_batch", default=None)


@contextmanager
def together(using: str) -> Iterator[None]:
    """Collect the statements passed to ``execute`` and send them as one when the block ends (PostgreSQL only).

    Other databases run each statement immediately. The statements must touch different rows, and none may read what
    another wrote. Foreign keys between the rows are fine, because PostgreSQL checks Django's deferred constraints at
    commit. Call this inside a transaction; any failing statement marks the transaction for rollback.
    """
    if connections[using].vendor != "postgresql":
        yield
        return
    batch = _Batch(using)
    token = _batch.set(batch)
    with transaction.mark_for_rollback_on_error(using=using):
        try:
            yield
        finally:
            _batch.reset(token)
        if batch.statements:
            *first, last = batch.statements
            parts = ", ".join(f"w{number} AS ({statement})" for number, statement in enumerate(first))
            _run(using, f"WITH {parts} {last}" if first else last, batch.values)
    for callback in batch.callbacks:
        callback()


def execute(using: str, statement: str, values: Sequence[Any], *, then: Callable[[], object] | None = None) -> None:
    """Run a write statement, or add it to the current batch. ``then`` is called once it has run."""
    batch = _batch.get()
    if batch is not None and batch.using == using:
        batch.statements.append(statement)
        batch.values.extend(values)
        if then is not None:
            batch.callbacks.append(then)
        return
    _run(using, statement, values)
    if then is not None:
        then()


def _run(using: str, statement: str, values: Sequence[Any]) -> None:
    with transaction.mark_for_rollback_on_error(using=using), connections[using].cursor() as cursor:
        cursor.execute(statement, values)

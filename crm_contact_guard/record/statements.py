"""Statements that are composed once, and sent together where a database can take several as one.

What a message changes goes to PostgreSQL in one round trip instead of one each: a statement waits longer for the two
processes to take turns than it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections, transaction


class _Waiting:
    def __init__(self, using: str) -> None:
        self.using = using
        self.statements: list[str] = []
        self.values: list[Any] = []
        self.afterwards: list[Callable[[], object]] = []


_waiting: ContextVar[_Waiting | None] = ContextVar("contact_guard_written_together", default=None)


@contextmanager
def together(using: str) -> Iterator[None]:
    """Send what ``execute`` is given in this block as one statement at its end; where the database can't, one by one.

    The statements must touch different rows, and none may look for what another did. Foreign keys may point from one
    to another, since PostgreSQL checks Django's at commit. Within the caller's transaction, which fails if any does.
    """
    if connections[using].vendor != "postgresql":
        yield
        return
    waiting = _Waiting(using)
    before = _waiting.set(waiting)
    with transaction.mark_for_rollback_on_error(using=using):
        try:
            yield
        finally:
            _waiting.reset(before)
        if waiting.statements:
            *first, last = waiting.statements
            parts = ", ".join(f"w{number} AS ({statement})" for number, statement in enumerate(first))
            _run(using, f"WITH {parts} {last}" if first else last, waiting.values)
    for call in waiting.afterwards:
        call()


def execute(using: str, statement: str, values: Sequence[Any], *, then: Callable[[], object] | None = None) -> None:
    """Send a statement that changes rows, and call ``then`` when that is done."""
    waiting = _waiting.get()
    if waiting is not None and waiting.using == using:
        waiting.statements.append(statement)
        waiting.values.extend(values)
        if then is not None:
            waiting.afterwards.append(then)
        return
    _run(using, statement, values)
    if then is not None:
        then()


def _run(using: str, statement: str, values: Sequence[Any]) -> None:
    with transaction.mark_for_rollback_on_error(using=using), connections[using].cursor() as cursor:
        cursor.execute(statement, values)

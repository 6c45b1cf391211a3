"""Which of the host's databases holds our tables, and transactions there. Routers decide; nothing here asks twice.

All our tables lie in one database: the one that ``DATABASE_ROUTERS`` names for writing. What is written there is read
there too (``rows``), since a replica may not have it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

View = TypeVar("View", bound=Callable[..., Any])


def alias() -> str:
    """Alias of the database that holds our tables. Asked anew each time: a host's router may go by the tenant."""
    found: str = router.db_for_write(_record())
    return found


@cache
def _record() -> type[models.Model]:
    return apps.get_model("crm_contact_guard", "Message")


def connection() -> BaseDatabaseWrapper:
    """The connection to that database."""
    return connections[alias()]


@contextmanager
def atomic() -> Iterator[None]:
    """``transaction.atomic`` there; also a decorator: ``@database.atomic()``."""
    with transaction.atomic(using=alias()):
        yield


def on_commit(call: Callable[[], object]) -> None:
    """Call once the transaction there has committed; an error is logged and stops no other call."""
    transaction.on_commit(call, using=alias(), robust=True)


def outside_transactions(view: View) -> View:
    """Let no ``ATOMIC_REQUESTS``, of whichever database, put a transaction around ``view``."""
    for name in connections:
        view = transaction.non_atomic_requests(using=name)(view)
    return view

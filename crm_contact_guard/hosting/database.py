"""The database that holds our tables, and transactions on it.

All our tables are in one database, the one that ``DATABASE_ROUTERS`` returns for writing. Rows are read from it as well
(``rows``), since a replica may not have them yet.
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
    """Return the alias of the database that holds our tables.

    The alias is not cached, because a host's router may depend on the tenant.
    """
    name: str = router.db_for_write(_record())
    return name


@cache
def _record() -> type[models.Model]:
    return apps.get_model("crm_contact_guard", "Message")


def connection() -> BaseDatabaseWrapper:
    """Return the connection to the database that holds our tables."""
    return connections[alias()]


@contextmanager
def atomic() -> Iterator[None]:
    """Run the block in ``transaction.atomic`` on the database that holds our tables.

    This can also be used as a decorator: ``@database.atomic()``.
    """
    with transaction.atomic(using=alias()):
        yield


@contextmanager
def rolled_back(using: str = "") -> Iterator[None]:
    """Undo whatever the block writes to the database that holds our tables, or to the database ``using``."""
    name = using or alias()
    with transaction.atomic(using=name):
        try:
            yield
        finally:
            transaction.set_rollback(True, using=name)


def on_commit(callback: Callable[[], object]) -> None:
    """Run ``callback`` after the commit on the database that holds our tables.

    Errors are logged and do not affect other callbacks.
    """
    transaction.on_commit(callback, using=alias(), robust=True)


def close_broken() -> None:
    """Close connections that broke since they were last used, so that the next query opens a new one.

    Django does this between requests. Between tasks, nobody does it while ``CELERY_DB_REUSE_MAX`` keeps connections.
    """
    for used in connections.all(initialized_only=True):
        if used.errors_occurred and not used.in_atomic_block:
            if used.is_usable():
                used.errors_occurred = False
            else:
                used.close()


def outside_transactions(view: View) -> View:
    """Exempt ``view`` from ``ATOMIC_REQUESTS`` on all databases."""
    for name in connections:
        view = transaction.non_atomic_requests(using=name)(view)
    return view

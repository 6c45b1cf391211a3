"""Insert a unique row once. If two processes try at the same time, one inserts the row, and the other gets that row.

The unique constraint decides, and not a query beforehand, because both processes could query before either one inserts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import IntegrityError

from crm_contact_guard.hosting import database

Known = TypeVar("Known")


@dataclass
class Insertion(Generic[Known]):
    """The result of the block. ``earlier`` is the existing row if the block was rolled back because of one."""

    earlier: Known | None = None

    @property
    def is_first(self) -> bool:
        return self.earlier is None


@contextmanager
def insert_once(known: Callable[[], Known | None]) -> Iterator[Insertion[Known]]:
    """Run the block, which inserts a unique row, in a transaction. Roll it back if the row exists.

    ``known`` looks up the existing row. It is called only after an IntegrityError. If it returns None, another
    constraint was violated, and the IntegrityError is raised.
    """
    insertion: Insertion[Known] = Insertion()
    try:
        with database.atomic():
            yield insertion
    except IntegrityError:
        insertion.earlier = known()
        if insertion.earlier is None:
            raise

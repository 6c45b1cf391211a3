"""Insert a unique row once: of two concurrent processes one inserts it, and the other gets the existing row.

The unique constraint decides, not a query beforehand: both processes could query before either one inserts.
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
    """Result of the block. ``earlier``: the existing row, because of which the block was rolled back."""

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

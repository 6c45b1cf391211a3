"""Inserting what may be inserted once: of two processes that are at it together, one inserts, the other is told so.

The unique constraint decides and no look beforehand, since both may look before either inserts.
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
    """What came of the block. ``earlier``: the row that was there before, for which the block's work was undone."""

    earlier: Known | None = None

    @property
    def is_first(self) -> bool:
        return self.earlier is None


@contextmanager
def insert_once(known: Callable[[], Known | None]) -> Iterator[Insertion[Known]]:
    """A transaction around the block, which inserts a unique row; all of it is undone where that row is there already.

    ``known`` looks for that row. It is asked only when a constraint was breached, and with None for an answer the
    breach was another constraint's: then IntegrityError is raised.
    """
    insertion: Insertion[Known] = Insertion()
    try:
        with database.atomic():
            yield insertion
    except IntegrityError:
        insertion.earlier = known()
        if insertion.earlier is None:
            raise

"""What all mirrored tables need to write rows in batches, and only those that changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

from django.db.models import Model

#: Rows per query and per transaction.
BATCH: Final = 500
T = TypeVar("T")


def changed_by(row: Model, values: Mapping[str, Any]) -> bool:
    """Set attributes of a row without saving it. Return whether any of them changed."""
    changed = any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    return changed


def whole(text: str, most: int) -> str:
    """Return the text, or an empty string if it is too long, since a truncated value would be wrong."""
    return text if len(text) <= most else ""


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of up to ``BATCH`` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch

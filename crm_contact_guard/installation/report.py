"""Results of the installation check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """The severity of an item. ``ERROR``: something doesn't work. ``WARNING``: it works, but with limitations."""

    FINE = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the report. ``mend`` performs ``fix`` if that is safe without confirmation."""

    level: Level
    topic: str
    says: str
    fix: str = ""
    mend: Callable[[], object] | None = field(default=None, repr=False, compare=False)


def fine(topic: str, says: str) -> Item:
    """An item for something that was checked and works."""
    return Item(level=Level.FINE, topic=topic, says=says)


def warning(topic: str, says: str, fix: str, mend: Callable[[], object] | None = None) -> Item:
    """An item for something that works with limitations."""
    return Item(level=Level.WARNING, topic=topic, says=says, fix=fix, mend=mend)


def error(topic: str, says: str, fix: str, mend: Callable[[], object] | None = None) -> Item:
    """An item for something that does not work."""
    return Item(level=Level.ERROR, topic=topic, says=says, fix=fix, mend=mend)

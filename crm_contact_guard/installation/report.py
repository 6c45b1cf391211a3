"""What a look at one part of the installation says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """``ERROR``: something promised does not work. ``WARNING``: it works, but less than it could."""

    FINE = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the report. ``mend`` does what ``fix`` says, where that is safe without asking."""

    level: Level
    topic: str
    says: str
    fix: str = ""
    mend: Callable[[], object] | None = field(default=None, repr=False, compare=False)


def fine(topic: str, says: str) -> Item:
    """Something that works, told so that the reader knows it was looked at."""
    return Item(level=Level.FINE, topic=topic, says=says)


def warning(topic: str, says: str, fix: str, mend: Callable[[], object] | None = None) -> Item:
    """Something that works less well than it could."""
    return Item(level=Level.WARNING, topic=topic, says=says, fix=fix, mend=mend)


def error(topic: str, says: str, fix: str, mend: Callable[[], object] | None = None) -> Item:
    """Something that does not work."""
    return Item(level=Level.ERROR, topic=topic, says=says, fix=fix, mend=mend)

"""What all formats share: the rows of the bundle, the trail of a message, and the count of what was cut."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.utils.functional import Promise

from crm_contact_guard.proof.canonical import RowKind

#: The members of a line in a row file.
Row = dict[str, Any]

#: Stands for a character that a format can't hold.
UNKNOWN = "\ufffd"


@dataclass(frozen=True)
class Made:
    """A file of a format. ``packed``: it is compressed already."""

    name: str
    chunks: Iterable[bytes]
    packed: bool = False


@dataclass
class Cuts:
    """The number of values that a format could not hold unchanged."""

    count: int = 0

    def shorten(self, text: str, most: int, mark: str = " …[cut]") -> str:
        """Return the text with at most ``most`` UTF-16 units. A shortened text ends with ``mark``."""
        if len(text) * 2 <= most:
            return text
        data = text.encode("utf-16-le", "surrogatepass")
        if len(data) <= 2 * most:
            return text
        self.count += 1
        return data[: 2 * (most - len(mark))].decode("utf-16-le", "ignore") + mark

    def replace(self, text: str, table: dict[int, str]) -> str:
        """Return the text with the characters of ``table`` replaced. Count it if there are any."""
        replaced = text.translate(table)
        self.count += replaced != text
        return replaced


@dataclass(frozen=True)
class Format:
    """A format: its name for people, and the function that yields its files."""

    label: str | Promise
    files: Callable[[Rows, Cuts], Iterator[Made]]
    #: Whether the libraries and fonts that it needs are installed.
    is_available: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Attached:
    """A file of a message."""

    name: str
    content: bytes


class Rows:
    """The rows of a bundle. They are kept in a temporary database once a format asks for a trail or a conversation.

    ``attached`` returns the files of a message; None if the bundle contains no files. ``beat`` is called often, so that
    the worker can say that it lives.
    """

    def __init__(
        self,
        lines: Callable[[RowKind], Iterator[bytes]],
        attached: Callable[[str], Iterator[Attached]] | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._lines = lines
        self._beat = beat
        self._attached = attached
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._trails.close()
            self._folder.cleanup()

    def of(self, kind: RowKind) -> Iterator[Row]:
        """Yield the rows of a kind by ascending leaf index."""
        for line in self._lines(kind):
            yield json.loads(line)

    @property
    def with_files(self) -> bool:
        """Whether the bundle contains the messages' files."""
        return self._attached is not None

    def attached(self, message: str) -> Iterator[Attached]:
        """Yield the files of a message, as far as the bundle contains them."""
        return self._attached(message) if self._attached is not None else iter(())

    def trail(self, message: str) -> list[Row]:
        """Return the events about a message, such as deliveries, decisions and erasures, in the record's order."""
        self._beat()
        found = self._trails.execute("SELECT line FROM event WHERE message = ? ORDER BY leaf", [message])
        return [json.loads(line) for (line,) in found]

    def talks(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Yield each conversation with its messages by time."""
        self._store_messages()
        for (talk,) in self._trails.execute("SELECT DISTINCT talk FROM message ORDER BY talk").fetchall():
            found = self._trails.execute("SELECT line FROM message WHERE talk = ? ORDER BY at, leaf", [talk])
            yield talk, (json.loads(line) for (line,) in found)

    def _store_messages(self) -> None:
        if self._trails.execute("SELECT 1 FROM sqlite_master WHERE name = 'message'").fetchone():
            return
        self._trails.execute("CREATE TABLE message (talk TEXT, at TEXT, leaf INTEGER, line BLOB)")
        self._trails.executemany(
            "INSERT INTO message VALUES (?, ?, ?, ?)",
            (
                (row["conversation"], row["occurred_at"], row["proof"]["index"], line)
                for line in self._lines("message")
                for row in (json.loads(line),)
            ),
        )
        self._trails.execute("CREATE INDEX by_talk ON message (talk, at, leaf)")

    @cached_property
    def _trails(self) -> sqlite3.Connection:
        self._folder = TemporaryDirectory()
        kept = sqlite3.connect(Path(self._folder.name) / "trails", isolation_level=None)
        kept.execute("PRAGMA synchronous=OFF")
        kept.execute("PRAGMA journal_mode=OFF")
        kept.execute("CREATE TABLE event (message TEXT, leaf INTEGER, line BLOB)")
        kept.execute("BEGIN")
        kept.executemany(
            "INSERT INTO event VALUES (?, ?, ?)",
            (
                (about, row["proof"]["index"], line)
                for line in self._lines("event")
                for row in (json.loads(line),)
                if (about := _message(row))
            ),
        )
        kept.execute("COMMIT")
        kept.execute("CREATE INDEX by_message ON event (message, leaf)")
        return kept


def _message(event: Row) -> str | None:
    """Return the ID of the message that an event is about. An erasure names it as its subject."""
    if event["message"] is None and event["subject_type"] == "message":
        return str(event["subject_id"])
    return event["message"]  # type: ignore[no-any-return]


def told(event: Row) -> str:
    """Return an event in one line: when, what, by whom, and why."""
    by = event["actor"] or event["actor_type"]
    reason = f": {event['reason']}" if event["reason"] else ""
    return f"{event['occurred_at']} {event['kind']} ({by}){reason}"

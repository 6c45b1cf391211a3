"""A broker without a server: messages are files in a folder.

Kombu's own filesystem transport writes them in place, so that a reader may find half of one, and its names count from
the start of the machine, so that after a restart new tasks would come before old ones. Here a message appears by a
rename, whole, and is taken by a rename, by one reader.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import virtual
from kombu.utils.json import dumps, loads


class Channel(virtual.Channel):
    """One folder for all queues: the transport option ``folder``."""

    @property
    def folder(self) -> Path:
        transport: Any = self.connection
        return Path(transport.client.transport_options["folder"])

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        name = f"{time_ns() // 1000:020}_{uuid.uuid4().hex}.{queue}.msg"
        unfinished = self.folder / f"{name}.part"
        unfinished.write_text(dumps(message), encoding="utf-8")
        unfinished.rename(self.folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in self._waiting(queue):
            taken = path.with_name(f"{path.name}.taken")
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            message = loads(taken.read_text(encoding="utf-8"))
            taken.unlink()
            return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    def _waiting(self, queue: str) -> list[Path]:
        """The queue's messages, oldest first."""
        return sorted(self.folder.glob(f"*.{queue}.msg"))


class Transport(virtual.Transport):
    Channel = Channel
    driver_type = "folder"
    driver_name = "folder"

    def driver_version(self) -> str:
        return "1"

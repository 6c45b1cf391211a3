"""A Celery broker without a server: messages are files in a folder.

Kombu's filesystem transport writes files in place, so that a reader may see a partial message, and names them by a
clock that starts at boot, so that after a restart new tasks would precede old ones. Here a message is published by a
rename and taken by a rename, so that it is complete and has exactly one reader.
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
                continue  # another worker took it
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
        """The messages in the queue, oldest first."""
        return sorted(self.folder.glob(f"*.{queue}.msg"))


class Transport(virtual.Transport):
    Channel = Channel
    driver_type = "folder"
    driver_name = "folder"

    def driver_version(self) -> str:
        return "1"

"""Processes that live to be killed: whole, or only one of those that do their work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[3]


class Process:
    """A command in a process group of its own. ``start`` may be called again after its death."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log = logs / f"{name}.log"
        self.started = 0
        self._running: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    def start(self) -> None:
        with self._lock:
            self.started += 1
            words = [part.replace("{n}", str(self.started)) for part in self.command]
            with self.log.open("ab") as log:
                self._running = subprocess.Popen(
                    [sys.executable, *words],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def strike(self, *, whole: bool) -> None:
        """``kill -9``. What was struck whole is started again at once, as an operator's supervisor does."""
        with self._lock:  # two may strike at once
            children = self._children()
            if whole or not children:
                self.end()
                self.start()
            else:
                _kill(children[-1])

    def revive(self) -> None:
        """Start it again if it has ended by itself: Celery gives up when its processes die before they are ready."""
        with self._lock:
            if self._running is not None and self._running.poll() is not None:
                self.start()

    def end(self) -> None:
        with self._lock:
            running, self._running = self._running, None
            if running is None:
                return
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait(60)

    def send(self, number: int) -> None:
        """Send a signal to it and all its children."""
        with self._lock:
            if self._running is not None:
                os.killpg(self._running.pid, number)

    def _children(self) -> list[int]:
        if self._running is None:
            return []
        listed = subprocess.run(["pgrep", "-P", str(self._running.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in listed.stdout.split()]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

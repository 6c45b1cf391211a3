"""Which hosts a block of code looks up and connects to, from Python's audit events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_watchers: list[list[tuple[str, Any]]] = []
_EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and event in _EVENTS:
        for watcher in _watchers:
            watcher.append((event, arguments[-1] if event in ("socket.connect", "socket.sendto") else arguments[:2]))


# A hook can't be removed again; without watchers it does nothing.
sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[tuple[str, Any]]]:
    """The look-ups (host, port) and connections (address) made in the block."""
    made: list[tuple[str, Any]] = []
    _watchers.append(made)
    try:
        yield made
    finally:
        _watchers.remove(made)

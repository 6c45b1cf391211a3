"""Ports for servers that a test starts a moment later, or in a process of their own."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Sequence

#: Below the range that the system gives to outgoing connections (32768 and up on Linux, 49152 and up elsewhere): a port
#: from there may be somebody's connection before our server has taken it.
LOWEST, HIGHEST = 20_000, 32_000

#: Own dice: tests and hypothesis seed the shared ones, and two processes must not draw the same row of ports.
_dice = random.Random(os.urandom(16))
_given: set[int] = set()


def free_port(neighbours: Sequence[int] = ()) -> int:
    """A port of 127.0.0.1 nobody listens on, never given twice by this process; so are those at the ``neighbours``."""
    for _ in range(1000):
        port = _dice.randrange(LOWEST, HIGHEST)
        wanted = {port, *(port + offset for offset in neighbours)}
        if not wanted & _given and all(map(_is_free, wanted)):
            _given.update(wanted)
            return port
    raise RuntimeError(f"no port is free between {LOWEST} and {HIGHEST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

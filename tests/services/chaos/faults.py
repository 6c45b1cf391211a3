"""What goes wrong around an installation while people go on writing, by name: broken on entering, mended on leaving."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.channels.carrier_server import Answer
from tests.services.chaos.servers import DISK_MB, PostgreSQL, Redis
from tests.services.kills.installation import Installation
from tests.services.kills.processes import Process

#: Longer than the lease of a delivery in these tests (5 seconds).
SLOW_SECONDS = 7


@dataclass(frozen=True)
class Scene:
    hotel: Installation
    postgresql: PostgreSQL
    redis: Redis


@contextmanager
def broker_emptied(scene: Scene) -> Iterator[None]:
    """Redis dies with all tasks in it, is away, and comes back empty."""
    scene.redis.kill()
    yield
    scene.redis.start()


@contextmanager
def database_restarted(scene: Scene) -> Iterator[None]:
    """PostgreSQL loses its power, and is away."""
    scene.postgresql.stop()
    yield
    scene.postgresql.start()


@contextmanager
def database_blinks(scene: Scene) -> Iterator[None]:
    """PostgreSQL is restarted under open connections, and there at once."""
    scene.postgresql.restart()
    yield
    scene.postgresql.restart()


@contextmanager
def disk_full(scene: Scene) -> Iterator[None]:
    """PostgreSQL's disk is full, to the last byte. The operator makes room and starts what has ended."""
    filler = scene.postgresql.disk / "filler"
    with filler.open("wb") as file:
        try:
            for _ in range(DISK_MB * 16):
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass  # full
    yield
    filler.unlink()
    scene.postgresql.start()


@contextmanager
def worker_hangs(scene: Scene) -> Iterator[None]:
    """The worker stops in the middle of its work, for longer than its leases, and goes on."""
    scene.hotel.processes["worker"].send(signal.SIGSTOP)
    yield
    scene.hotel.processes["worker"].send(signal.SIGCONT)


@contextmanager
def all_twice(scene: Scene) -> Iterator[None]:
    """Somebody starts a second beat and a second worker beside the first: two schedules, two sealers."""
    with ExitStack() as stack:
        for name in ("beat", "worker"):
            second = _like(scene, name, f"{name}-second")
            stack.callback(second.end)
            second.start()
        yield


@contextmanager
def clock_ahead(scene: Scene) -> Iterator[None]:
    """The worker's machine believes that it is an hour later."""
    yield from _another_time(scene, "+1h")


@contextmanager
def clock_behind(scene: Scene) -> Iterator[None]:
    """The worker's machine believes that it is an hour earlier."""
    yield from _another_time(scene, "-1h")


@contextmanager
def carriers_down(scene: Scene) -> Iterator[None]:
    """Each carrier answers that it isn't available."""
    yield from _carriers(scene, Answer(503, b"unavailable", {}))


@contextmanager
def carriers_talk_nonsense(scene: Scene) -> Iterator[None]:
    """Each carrier takes what it gets, and answers with something else's page, or with nothing at all."""
    page = Answer(200, b"<!doctype html><title>It works!</title>", {"Content-Type": "text/html"})
    yield from _carriers(scene, page, Answer(hang_up=True), accepts=True)


@contextmanager
def carriers_slow(scene: Scene) -> Iterator[None]:
    """Each carrier takes longer than a lease, and answers well in the end."""
    mended, before = threading.Event(), {}
    for alias, carrier in scene.hotel.carriers.items():
        before[alias] = take = carrier.server.take
        carrier.server.take = lambda call, take=take: (mended.wait(SLOW_SECONDS), take(call))[1]
    yield
    mended.set()
    for alias, take in before.items():
        scene.hotel.carriers[alias].server.take = take


def _carriers(scene: Scene, *answers: Answer, accepts: bool = False) -> Iterator[None]:
    servers = [carrier.server for carrier in scene.hotel.carriers.values()]
    for server in servers:
        server.failures, server.accepts_before_failing = list(answers) * 500, accepts
    yield
    for server in servers:
        server.failures, server.accepts_before_failing = [], False


def _another_time(scene: Scene, offset: str) -> Iterator[None]:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert library is not None, "install faketime (Debian)"
    worker = scene.hotel.processes["worker"]
    # Celery waits by the monotonic clock, which no administrator sets.
    environment = {"LD_PRELOAD": str(library), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    other = _like(scene, "worker", "worker-elsewhen", environment)
    worker.end()
    other.start()
    yield
    other.end()
    worker.start()


def _like(scene: Scene, name: str, called: str, environment: Mapping[str, str] | None = None) -> Process:
    """One more process with the same command."""
    first = scene.hotel.processes[name]
    command = [part.replace("{n}", called) for part in first.command]
    return Process(called, command, {**first.environment, **(environment or {})}, scene.hotel.folder)


FAULTS: Final[dict[str, Callable[[Scene], AbstractContextManager[None]]]] = {
    fault.__name__: fault
    for fault in (
        broker_emptied,
        database_restarted,
        database_blinks,
        disk_full,
        worker_hangs,
        all_twice,
        clock_ahead,
        clock_behind,
        carriers_down,
        carriers_slow,
        carriers_talk_nonsense,
    )
}

"""``kill -9`` of the worker around SMTP, with real processes: Celery, PostgreSQL, a mail server that strikes.

The sweeper of the next worker has to bring the message out, once, with a whole record.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.ports import free_port
from tests.service_urls import POSTGRESQL, REDIS

ROOT = Path(__file__).parents[2]
DUPLICATE = "X-Contact-Guard-Possible-Duplicate"
PATIENCE = 60


class Sink:
    """Takes mail. ``on_connect`` and ``before_answer`` run once, when a connection comes and before the final 250."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.arrived = threading.Semaphore(0)
        self.struck = threading.Event()
        self.on_connect: Callable[[], None] | None = None
        self.before_answer: Callable[[], None] | None = None
        self.after_answer: Callable[[], None] | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.original_content or b""))
        self.arrived.release()
        self._once("before_answer")
        return "250 2.0.0 Taken"

    def _once(self, name: str) -> None:
        strike: Callable[[], None] | None = getattr(self, name)
        setattr(self, name, None)
        if strike is not None:
            strike()


class Server(SMTP):
    event_handler: Sink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler._once("on_connect")
        super().connection_made(transport)

    async def push(self, status: Any) -> None:
        await super().push(status)
        if "Taken" in str(status):
            self.event_handler._once("after_answer")


class SinkController(Controller):
    def factory(self) -> SMTP:
        return Server(self.handler, **self.SMTP_kwargs)


class Hotel:
    """The installation: its database, its mail server, its workers."""

    def __init__(self, sink: Sink, port: int, database: str, folder: Path) -> None:
        self.sink = sink
        self.folder = folder
        self.environment = os.environ | {
            "KILLED_DATABASE": database,
            "KILLED_SMTP_PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "tests.services.killed_settings",
            "PYTHONPATH": str(ROOT),
        }
        self.connection = psycopg.connect(POSTGRESQL, dbname=database, autocommit=True)
        self.workers: list[subprocess.Popen[bytes]] = []

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def start_worker(self, *more: str) -> subprocess.Popen[bytes]:
        """A worker in a process group of its own: SIGKILL has to reach its pool as well."""
        number = len(self.workers)
        celery = ["-m", "celery", "-A", "tests.services.killed_app"]
        options = ["--concurrency", "1", "--loglevel", "info", "--hostname", f"w{number}@%h", *more]
        with (self.folder / f"worker-{number}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, *celery, "worker", *options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def start_sweeper(self) -> None:
        """The next worker, with beat inside: what an operator's supervisor starts after a crash."""
        # Without a file of its own: beat dies of SQLite's "locking protocol" where the disk is slow.
        self.start_worker("--beat", "--scheduler", "celery.beat:Scheduler")

    def send(self, text: str) -> str:
        return self.run("tests/services/killed_app.py", text)

    def events(self, message: str) -> list[str]:
        """Kinds of the message's recorded delivery events, in the order of recording."""
        rows = self.connection.execute(
            "SELECT kind FROM crm_contact_guard_event WHERE message_id = %s AND kind LIKE 'delivery.%%'"
            " ORDER BY recorded_at, id",
            [message],
        )
        return [str(kind).removeprefix("delivery.") for (kind,) in rows]

    def wait_until_sent(self, message: str) -> None:
        pause = threading.Event()
        for _ in range(PATIENCE * 20):
            if self.events(message)[-1:] == ["sent"]:
                return
            pause.wait(0.05)
        raise AssertionError(f"not sent: {self.events(message)}")

    def close(self) -> None:
        self.connection.close()
        for worker in self.workers:
            kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """kill -9 for the worker and its pool."""
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    worker.wait(10)


@pytest.fixture
def hotel(tmp_path: Path) -> Iterator[Hotel]:
    name = f"killed_{os.getpid()}"
    sink = Sink()
    port = free_port()
    controller = SinkController(sink, hostname="127.0.0.1", port=port)
    controller.start()
    with psycopg.connect(POSTGRESQL, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        hotel = Hotel(sink, port, name, tmp_path)
        try:
            hotel.run("-m", "django", "migrate", "--verbosity", "0")
            yield hotel
        finally:
            hotel.close()
            controller.stop()
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            with redis.Redis.from_url(REDIS) as broker:
                for key in broker.scan_iter(f"{name}:*"):
                    broker.delete(key)


def test_killed_between_the_commit_and_smtp_sends_exactly_one_mail(hotel: Hotel) -> None:
    worker = hotel.start_worker()

    def strike() -> None:
        # The worker has recorded its attempt and opened the connection; not one byte of SMTP has been said.
        kill(worker)
        hotel.sink.struck.set()

    hotel.sink.on_connect = strike
    message = hotel.send("ご夕食は18時半で承りました。")
    assert hotel.sink.struck.wait(PATIENCE), "the worker never came"
    assert hotel.events(message) == ["queued", "attempted"]

    hotel.start_sweeper()
    assert hotel.sink.arrived.acquire(timeout=PATIENCE), "the sweeper sent nothing"
    hotel.wait_until_sent(message)

    assert len(hotel.sink.mails) == 1
    assert hotel.events(message) == ["queued", "attempted", "attempted", "sent"]


def test_killed_before_it_took_the_message_sends_exactly_one_unmarked_mail(hotel: Hotel) -> None:
    worker = hotel.start_worker()
    os.killpg(worker.pid, signal.SIGSTOP)
    message = hotel.send("ご夕食は18時半で承りました。")
    kill(worker)
    assert hotel.events(message) == ["queued"]

    hotel.start_sweeper()
    assert hotel.sink.arrived.acquire(timeout=PATIENCE), "the sweeper sent nothing"
    hotel.wait_until_sent(message)

    [mail] = hotel.sink.mails
    assert mail[DUPLICATE] is None
    assert hotel.events(message) == ["queued", "attempted", "sent"]


def test_killed_between_smtps_250_and_the_event_sends_at_most_one_marked_duplicate(hotel: Hotel) -> None:
    worker = hotel.start_worker()
    hotel.sink.before_answer = lambda: os.killpg(worker.pid, signal.SIGSTOP)

    def strike() -> None:
        # The 250 lies in the stopped worker's socket: the mail is out, and the worker never gets to say so.
        kill(worker)
        hotel.sink.struck.set()

    hotel.sink.after_answer = strike
    message = hotel.send("ご夕食は18時半で承りました。")
    assert hotel.sink.struck.wait(PATIENCE), "the worker never came"
    assert hotel.events(message) == ["queued", "attempted"]
    assert hotel.sink.arrived.acquire(timeout=PATIENCE)

    hotel.start_sweeper()
    assert hotel.sink.arrived.acquire(timeout=PATIENCE), "the sweeper did nothing"
    hotel.wait_until_sent(message)

    first, second = hotel.sink.mails
    assert first[DUPLICATE] is None
    assert second[DUPLICATE] == "yes"
    assert first["Message-ID"] == second["Message-ID"], "mail systems drop a double by its Message-ID"
    assert hotel.events(message) == ["queued", "attempted", "attempted", "sent"]

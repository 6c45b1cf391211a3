"""An installation made of real processes: web, worker, beat, mail receiver; and its people and carriers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.channels.line_server import USER
from tests.channels.line_works_server import USER as WORKS_USER
from tests.ports import free_port
from tests.service_urls import POSTGRESQL, REDIS
from tests.service_urls import database as database_of
from tests.services.kills.carriers import CARRIERS, PATIENCE, PUBLIC_URL, Carrier, Taken, Web
from tests.services.kills.processes import ROOT, Process, listens
from tests.services.kills.strikes import Strike
from tests.services.kills.world import World

ADDRESSES = {
    "email": "hanako@mail.example",
    "phone": "+819012345678",
    "whatsapp": "+819012345678",
    "line": USER,
    "line_works": WORKS_USER,
}
Kind = TypeVar("Kind", bound=World)
#: Looks at the record, all alike, after which an operator sees that nothing is done any more.
_STALLED = 10
#: States of messages that something will still happen to.
_UNDER_WAY = ("queued", "sending", "waiting", "held")


class MailSink:
    """A mail provider, by SMTP. ``reach`` is told of both points: that it was called, and that it has taken a mail."""

    def __init__(self, reach: Callable[[str], None], points: tuple[str, str] = ("called", "accepted")) -> None:
        self.mails: list[Envelope] = []
        #: When each was taken, in seconds since 1970.
        self.times: list[float] = []
        self._reach = reach
        self._points = points

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._reach(self._points[0])
        self.mails.append(envelope)
        self.times.append(time.time())
        self._reach(self._points[1])
        return "250 2.0.0 Taken"

    def taken(self) -> list[Taken]:
        contents = [(mail.original_content or b"").decode() for mail in self.mails]
        return [Taken(text, "", marked="X-Contact-Guard-Possible-Duplicate" in text) for text in contents]


class Installation:
    def __init__(
        self, folder: Path, database: dict[str, Any], broker: dict[str, Any], guard: dict[str, Any] | None = None
    ) -> None:
        """``guard``: further keys of ``CONTACT_GUARD``."""
        self.folder = folder
        self.port, self.mail_port, self.smtp_port, self.post_port = (free_port() for _ in range(4))
        self.world: World | None = None
        #: When a carrier had a text first: (alias, text as it came) → seconds since 1970.
        self.first: dict[tuple[str, str], float] = {}
        #: How to ask for the record, and which of its parts are empty once nothing is left to do.
        self.asks, self.rests = "record", ("uninspected",)
        #: Who was killed in the present campaign, and at what.
        self.struck: list[str] = []
        self.is_polled = str(broker.get("broker", "")).startswith("folder:")
        self.web = Web(self.port, lambda: self.reach("sent"))
        self.sink = MailSink(self.reach)
        #: Where the host's own email goes: notices to people.
        self.post = MailSink(self.reach, ("telling", "told"))
        self.carriers: dict[str, Carrier] = {alias: kind() for alias, kind in CARRIERS.items()}
        self.settings = {"database": database, "media": str(folder / "media"), "public_url": PUBLIC_URL, **broker}
        self.settings |= {"guard": guard or {}, **({"post": self.post_port} if guard else {})}
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.services.kills.settings",
            "KILLS_SETTINGS": str(folder / "settings.json"),
            "PYTHONPATH": str(ROOT),
        }
        celery = ["-m", "celery", "-A", "tests.services.kills.app"]
        gunicorn = [
            "-m",
            "gunicorn",
            "tests.services.kills.wsgi",
            "--no-control-socket",
            "--threads",
            "4",
            "--timeout",
            "120",
        ]
        receive = ["-m", "django", "contact_guard_receive_mail", "--port", str(self.mail_port)]
        commands = {
            "worker": [*celery, "worker", "--concurrency", "2", "--hostname", "w{n}@%h", "--loglevel", "info"],
            "beat": [*celery, "beat", "--schedule", str(folder / "beat-{n}"), "--pidfile", ""],
            "web": [*gunicorn, "--bind", f"127.0.0.1:{self.port}"],
            "mail": receive,
        }
        self.processes = {name: Process(name, command, self.environment, folder) for name, command in commands.items()}

    def reach(self, point: str) -> None:
        if self.world is not None:
            self.world.reach(point)

    def first_copy(self, alias: str, text: str) -> float | None:
        """Return when the carrier took a text for the first time; None if it never did."""
        if alias == "email":
            found = [at for one, at in zip(self.sink.taken(), self.sink.times, strict=True) if text in one.text]
        else:
            found = [at for (name, came), at in self.first.items() if name == alias and text in came]
        return min(found, default=None)

    def note(self, alias: str, taken: list[Taken]) -> None:
        """Write down when the newest texts came."""
        for one in taken[-5:]:
            self.first.setdefault((alias, one.text), time.time())

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            channels: dict[str, Any] = {"chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"}}
            smtp = {"HOST": "127.0.0.1", "PORT": self.smtp_port, "TIMEOUT": PATIENCE}
            sender = {"FROM": "Hotel Kaede <guests@kaede.example>", "REPLY_TO": "reply@kaede.example"}
            email = "crm_contact_guard.channels.email.EmailChannel"
            channels["email"] = {"BACKEND": email, "OPTIONS": {**sender, **smtp}}
            for alias, carrier in self.carriers.items():
                carrier.alias = alias  # type: ignore[misc]
                carrier.web = self.web
                carrier.server = stack.enter_context(carrier.server_class().running())
                _watch(carrier, self.reach, self.note)
                channels[alias] = {"BACKEND": carrier.backend, "OPTIONS": carrier.options()}
            (self.folder / "settings.json").write_text(json.dumps({**self.settings, "channels": channels}))
            for mail_sink, port in ((self.sink, self.smtp_port), (self.post, self.post_port)):
                sink = Controller(mail_sink, hostname="127.0.0.1", port=port)
                sink.start()
                stack.callback(sink.stop)
            self.people = self.told("people", json.dumps(ADDRESSES))
            for process in self.processes.values():
                stack.callback(process.end)
                process.start()
            self.wait_for(lambda: listens(self.port) and listens(self.mail_port), "the processes never listened")
            yield

    def manage(self, *command: str, fine: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode in fine, f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def told(self, *words: str) -> dict[str, Any]:
        """What only the installation can say or do (``inside``)."""
        found: dict[str, Any] = json.loads(self.manage("-m", "tests.services.kills.inside", *words).splitlines()[-1])
        return found

    def wait_for(self, condition: Callable[[], object], otherwise: str) -> None:
        pause = threading.Event()
        for _ in range(PATIENCE * 60):
            if condition():
                return
            pause.wait(0.05)
        raise AssertionError(otherwise)

    # --- killing
    def campaign(self, seed: int, kills: int, kind: type[Kind]) -> Kind:
        """Rounds with a death or more in each, until there were so many.

        Nothing is waited for in between but that callers were heard.
        """
        self.world = world = kind(seed, self.web, self.mail_port, self.carriers, self.people)
        self.struck = []
        with ThreadPoolExecutor(12) as pool:
            for _ in range(kills // world.DEATHS):
                self.revive()
                todo = world.round()
                world.strikes = [self._strike(world) for _death in range(world.DEATHS)]
                running = [pool.submit(each) for each in todo]
                for one in running:
                    one.result(PATIENCE * 3)
                for strike in world.strikes:
                    # The worker may have been struck before and be starting still: what is written waits for it.
                    if strike.point in ("called", "accepted"):
                        strike.fallen.wait(PATIENCE)
                    strike.finish()
        world.strikes = []
        return world

    def _strike(self, world: World) -> Strike:
        dice = world.dice
        point, victim, longest = dice.choice(world.POINTS)
        if victim == "any":
            victim = dice.choice(list(self.processes))
        whole = dice.random() < world.WHOLE
        process = self.processes[victim]

        def blow() -> None:
            self.struck.append(f"{victim}, {'whole' if whole else 'one of its processes'}, when {point}")
            process.strike(whole=whole)

        # So many messages of this round go to a carrier, so that the point is reached.
        after = dice.randrange(world.handed_over) if point in ("called", "accepted") else dice.randint(0, 3)
        return Strike(point, after, dice.uniform(0, longest), blow)

    def revive(self) -> None:
        for process in self.processes.values():
            process.revive()

    def settled(self) -> dict[str, Any]:
        """The record, once nothing is left to do."""
        found: dict[str, Any] = {}
        before, unchanged = "", 0

        def nothing_is_left() -> bool:
            found.update(self.told(self.asks))
            under_way = [row for row in found["outbound"] if row["state"] in _UNDER_WAY]
            return not under_way and not any(found[name] for name in self.rests)

        self.wait_for(lambda: listens(self.port), "the web server did not come back")
        for _ in range(PATIENCE):
            self.revive()
            if nothing_is_left():
                return found
            unchanged = unchanged + 1 if json.dumps(found) == before else 0
            before = json.dumps(found)
            if unchanged == _STALLED and self.is_polled:
                # Where Celery polls its broker, the worker's processes take turns at one queue, and one that is killed
                # in its turn leaves the others waiting for ever (billiard): an operator restarts it.
                self.processes["worker"].strike(whole=True)
        raise AssertionError(f"it never came to rest: {found}")


def _watch(carrier: Carrier, reach: Callable[[str], None], note: Callable[[str, list[Taken]], None]) -> None:
    server, take = carrier.server, carrier.server.take

    def watched(call: Any) -> Any:
        if call.method != "POST" or "oauth" in call.path:
            return take(call)  # a look-up on the way
        reach("called")
        answer = take(call)
        note(carrier.alias, carrier.taken())
        reach("accepted")
        return answer

    server.take = watched


@contextmanager
def installation(kind: str, folder: Path, guard: dict[str, Any] | None = None) -> Iterator[Installation]:
    """On PostgreSQL with Redis, or on SQLite with a folder as broker: what a small company starts with."""
    name = f"kills_{os.getpid()}"
    if kind == "sqlite":
        (folder / "broker").mkdir()
        options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3"), "OPTIONS": options}
        given = {"folder": str(folder / "broker"), "polling_interval": 0.1}
        made = Installation(folder, database, {"broker": "folder://localhost/", "broker_options": given}, guard)
        with made.running():
            yield made
        return
    with psycopg.connect(POSTGRESQL, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        broker = {"broker": REDIS, "broker_options": {"global_keyprefix": f"{name}:"}}
        made = Installation(folder, database_of(POSTGRESQL) | {"NAME": name}, broker, guard)
        try:
            with made.running():
                yield made
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            with redis.Redis.from_url(REDIS) as queue:
                for key in queue.scan_iter(f"{name}:*"):
                    queue.delete(key)

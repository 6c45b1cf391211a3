"""A real worker and beat behind each broker: a customer's message becomes an alert, and its row is sealed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from tests.service_urls import RABBITMQ, REDIS

ROOT = Path(__file__).parents[2]
PATIENCE = 90
PRESSING = "LINE交換しませんか？ID: hanako_22"


class Installation:
    """A host with one worker; all its processes read the broker's address from the environment."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.name = f"contact_guard_broker_{os.getpid()}"
        self.broker = broker
        self.folder = folder
        self.environment = os.environ | {
            "BROKER_NAME": self.name,
            "BROKER_URL": broker,
            "BROKER_FOLDER": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.services.broker_settings",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",  # an old library's deprecations are none of this test's business
        }

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def state(self, *text: str) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.run("tests/services/broker_app.py", *text).splitlines()[-1])
        return found

    @contextmanager
    def working(self) -> Iterator[None]:
        log = self.folder / "worker.log"
        celery = [sys.executable, "-m", "celery", "-A", "tests.services.broker_app", "worker", "--beat"]
        options = ["--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "info"]
        own = ["--hostname", f"{self.name}@%h", "--scheduler", "celery.beat:Scheduler"]
        with log.open("wb") as out:
            worker = subprocess.Popen(
                [*celery, *options, *own],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            yield
            assert worker.poll() is None, log.read_text()[-4000:]
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(PATIENCE)

    def clean(self) -> None:
        """Take our queue off the broker."""
        app = Celery("cleaning", broker=self.broker, set_as_current=False)
        if self.broker.startswith("redis"):
            app.conf.broker_transport_options = {"global_keyprefix": f"{self.name}:"}
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete(self.name)


@pytest.fixture(params=[REDIS, RABBITMQ], ids=["redis", "rabbitmq"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(request.param, tmp_path)
    made.run("-m", "django", "migrate", "--verbosity", "0")
    yield made
    made.clean()


@pytest.mark.timeout(PATIENCE * 3)
def test_a_message_becomes_an_alert_and_is_sealed(installation: Installation) -> None:
    before = installation.state(PRESSING)
    assert (before["alerts"], before["pending"] > 0) == (0, True), "nobody works yet"
    pause = threading.Event()

    with installation.working():
        for _ in range(PATIENCE):
            said = installation.state()
            if said == {"alerts": 1, "pending": 0}:
                break
            pause.wait(0.5)

    assert said == {"alerts": 1, "pending": 0}, (installation.folder / "worker.log").read_text()[-4000:]

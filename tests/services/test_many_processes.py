"""gunicorn with several processes: Prometheus is told the sum of what all of them counted, whichever it asks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts.person import PATIENCE
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "of the scraper"
REFUSED = 'contact_guard_webhook_refusals_total{channel="hook",reason="signature"}'
CALLS = 60


@dataclass
class Site:
    base: str
    server: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        return [
            int(pid) for pid in Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        ]

    def forged(self) -> int:
        """A carrier's call without a signature; which process takes it is chance."""
        try:
            urllib.request.urlopen(f"{self.base}/guard/webhooks/hook/", b"{}", timeout=PATIENCE).close()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return int(refusal.code)
        return 0

    def metrics(self) -> str:
        request = urllib.request.Request(f"{self.base}/guard/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return str(answer.read().decode())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    counted = tmp_path / "counted"
    counted.mkdir()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.services.asgi.forked",
        "BROWSER_DATABASE": str(tmp_path / "site.sqlite3"),
        "PROMETHEUS_MULTIPROC_DIR": str(counted),
        "SCRAPER_TOKEN": TOKEN,
    }
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
    )
    port = free_port()
    serve = ["gunicorn", "--workers", "3", "--bind", f"127.0.0.1:{port}", "tests.services.asgi.wsgi:application"]
    log = (tmp_path / "server.log").open("w")
    with (
        log,
        subprocess.Popen([sys.executable, "-m", *serve], cwd=ROOT, env=environment, stdout=log, stderr=log) as server,
    ):
        found = Site(f"http://127.0.0.1:{port}", server)
        try:
            wait(found)
            yield found
        finally:
            server.terminate()


def wait(site: Site) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        try:
            site.metrics()
        except OSError:
            assert site.server.poll() is None
            pause.wait(0.1)
        else:
            return
    raise AssertionError("no server")


def value(metrics: str, name: str) -> float:
    found = re.findall(rf"^{re.escape(name)} (\S+)$", metrics, re.MULTILINE)
    assert len(found) == 1, metrics
    return float(found[0])


@pytest.mark.timeout(300)
def test_each_process_tells_what_all_have_counted(site: Site) -> None:
    assert len(site.workers()) == 3
    assert {site.forged() for _ in range(CALLS)} == {403}

    told = {value(site.metrics(), REFUSED) for _ in range(12)}
    assert told == {CALLS}
    rows = {value(site.metrics(), "contact_guard_recorded_rows_total") for _ in range(6)}
    assert rows == {0.0}

    # A process that ends takes nothing with it: a counter that falls would look like a restart.
    before = site.workers()
    os.kill(before[0], signal.SIGKILL)
    assert site.forged() == 403
    assert value(site.metrics(), REFUSED) == CALLS + 1

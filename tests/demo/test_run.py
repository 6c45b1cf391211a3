"""The whole demo in separate processes, used as a person does after ``make demo``."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.conftest import NEIGHBOURS, ROOT, Demo
from tests.ports import free_port

#: Seconds that a whole test may take; each wait gets a fifth.
PATIENCE = 300


class Browser:
    """A simple browser: pages over HTTP with cookies and forms."""

    def __init__(self, base: str, language: str = "en") -> None:
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.opener.addheaders = [("Accept-Language", language)]
        self.page = ""

    def get(self, path: str) -> str:
        with self.opener.open(path if path.startswith("http") else self.base + path, timeout=20) as response:
            self.page = response.read().decode()
        return self.page

    def post(self, path: str, **fields: str) -> str:
        """Submit a form of the current page, with its hidden values."""
        hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|form_token|key)" value="([^"]*)"', self.page))
        data = urllib.parse.urlencode({**hidden, **fields}).encode()
        request = urllib.request.Request(self.base + path, data, headers={"Referer": self.base + path})
        with self.opener.open(request, timeout=20) as response:
            self.page = response.read().decode()
        return self.page

    def sign_in(self, name: str) -> None:
        self.get("/login/")
        self.post("/login/", username=name, password="demo", next="")

    def wait_for(self, path: str, text: str, seconds: float = PATIENCE / 5) -> None:
        """Reload the page, as its own script does, until it contains the text."""
        pause = threading.Event()
        for _ in range(int(seconds / 0.1)):
            if text in self.get(path):
                return
            pause.wait(0.1)
        raise AssertionError(f"{text!r} is not on {path} after {seconds} s")


class Running:
    """A running ``demo.py``."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.process = subprocess.Popen(
            [sys.executable, "demo_project/demo.py"],
            cwd=ROOT,
            env=demo.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        for row in self.process.stdout:
            self.said += row
            if "Ctrl-C" in row:
                return
        raise AssertionError(f"not ready:\n{self.said}")

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.demo.port}"

    @property
    def chat_link(self) -> str:
        return re.search(r"http://\S+/guard/chat/\S+", self.said)[0]  # type: ignore[index]

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Send a signal and wait. Returns the exit code and the output."""
        if self.process.poll() is None and number:
            self.process.send_signal(number)
        rest, _none = self.process.communicate(timeout=60)
        return self.process.returncode, self.said + rest

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def parts(self) -> dict[str, int]:
        """Process ids of its parts, by name."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
        names = {"gunicorn": "web", "worker": "worker", "beat": "beat", "receive_mail": "receiver"}
        return {ours: pid for pid, line in lines.items() for word, ours in names.items() if word in line}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with Running(Demo(tmp_path, free_port(NEIGHBOURS))) as found:
        found.wait_until_ready()
        yield found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.timeout(PATIENCE)
def test_alert_and_mail_arrive_and_ctrl_c_stops_everything(running: Running) -> None:
    assert "ready" in running.said
    assert "employee2" in running.said
    supervisor = Browser(running.base, "ja")
    supervisor.sign_in("supervisor")
    assert "佐藤 花子" not in supervisor.get("/guard/")

    guest = Browser(running.base, "ja")
    guest.get(running.chat_link)
    guest.post("/guard/chat/", text="LINE交換しませんか？ID: hanako_22")
    supervisor.wait_for("/guard/", "佐藤 花子")
    box = urllib.parse.quote("supervisor@kaede-hotels.example")
    supervisor.wait_for(f"/mailbox/{box}/", "佐藤 花子")

    answering = Browser(running.base)
    page = answering.get("/mailbox/sophie.martin@mail.example/")
    letter = re.search(r'href="(/mailbox/sophie[^"]+/[^"/]+/)"', page)
    assert letter is not None
    answering.get(letter[1])
    said = "Could we talk on WhatsApp instead? My number is +33 6 12 34 56 78."
    assert "Sent to" in answering.post("/mailbox/sophie.martin@mail.example/write/", text=said)
    supervisor.wait_for("/guard/", "Sophie Martin")
    supervisor.wait_for(f"/mailbox/{box}/", "Sophie Martin")
    employee = Browser(running.base)
    employee.sign_in("employee2")
    assert "WhatsApp" in employee.get("/guard/inbox/")

    code, words = running.end()
    assert code == 0
    assert "Traceback" not in words
    assert all(is_free(port) for port in (running.demo.port, running.demo.port + 24, running.demo.port + 25))


@pytest.mark.beyond_slice
@pytest.mark.timeout(PATIENCE)
def test_a_part_that_dies_is_reported_and_stops_the_demo(running: Running) -> None:
    parts = running.parts()
    assert set(parts) == {"web", "worker", "beat", "receiver"}
    os.kill(parts["worker"], signal.SIGKILL)

    code, words = running.end(number=0)

    assert code == 1
    assert "worker has ended" in words
    assert is_free(running.demo.port)


def test_a_used_port_is_reported_with_a_way_out(demo: Demo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", demo.port + 24))
        taken.listen()
        done = demo.run("demo_project/demo.py")

    assert done.returncode == 1
    assert f"Port {demo.port + 24} (receiver) is taken" in done.stderr
    assert f"DEMO_PORT={demo.port + 100}" in done.stderr


@pytest.mark.parametrize("given", ["eighty", "0", "70000"])
def test_an_invalid_port_is_reported(demo: Demo, given: str) -> None:
    done = demo.run("demo_project/demo.py", DEMO_PORT=given)

    assert done.returncode == 1
    assert f"DEMO_PORT='{given}' is not a port" in done.stderr

"""A host served by uvicorn: pages, panel, chat, webhooks, downloads and streams over a socket."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts.person import PATIENCE, Person
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PRESSING = "LINE交換しませんか？ID: hanako_22"
#: Larger than what is sent in one piece.
FILE = b"Rooms and prices. " * 20_000


@dataclass
class Site:
    base: str
    guests: dict[str, str]
    log: Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.services.asgi.settings",
        "BROWSER_DATABASE": str(tmp_path / "site.sqlite3"),
        "PYTHONWARNINGS": "default",
    }
    seed = [sys.executable, "-m", "tests.services.browser.seed"]
    seeded = subprocess.run(seed, cwd=ROOT, env=environment, check=True, capture_output=True)
    port, log = free_port(), tmp_path / "server.log"
    serve = [
        sys.executable,
        "-m",
        "uvicorn",
        "--port",
        str(port),
        "--lifespan",
        "off",
        "tests.services.asgi.app:application",
    ]
    with log.open("w") as out, subprocess.Popen(serve, cwd=ROOT, env=environment, stdout=out, stderr=out) as server:
        found = Site(f"http://127.0.0.1:{port}", json.loads(seeded.stdout.splitlines()[-1]), log)
        try:
            wait(found, server)
            yield found
        finally:
            server.terminate()


def wait(site: Site, server: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        try:
            with urllib.request.urlopen(f"{site.base}/guard/health/live/") as answer:
                assert answer.headers["X-Asynchronous"] == "yes"
                return
        except OSError:
            assert server.poll() is None, site.log.read_text()
            pause.wait(0.1)
    raise AssertionError(site.log.read_text())


def signed_in(site: Site, name: str, language: str = "en") -> Person:
    person = Person(site.base, language)
    person.get("/login/?next=/guard/")
    person.submit("username", username=f"{name}@kaede.example", password="demo")
    assert person.status == 200, person.text
    return person


def call(site: Site, number: int) -> int:
    event = {
        "type": "message",
        "id": str(number),
        "from": f"+81900000{number:04}",
        "text": "Hello",
        "at": "2026-11-24T01:00:00Z",
    }
    body = json.dumps({"events": [event]}).encode()
    signature = hmac.new(b"of the carrier", body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(f"{site.base}/guard/webhooks/hook/", body, {"X-Signature": signature})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return int(answer.status)


def upload(person: Person, path: str, fields: dict[str, str], content: bytes) -> None:
    line = "--edge\r\nContent-Disposition: form-data; name="
    parts = [f'{line}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append(f'{line}"files"; filename="rooms.txt"\r\nContent-Type: text/plain\r\n\r\n')
    body = "".join(parts).encode() + content + b"\r\n--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Referer": person.address}
    with person.opener.open(urllib.request.Request(person.base + path, body, headers), timeout=PATIENCE) as answer:
        assert answer.status == 200


@pytest.mark.timeout(300)
def test_all_of_it_behind_an_asgi_server(site: Site) -> None:
    aoi = signed_in(site, "aoi")
    aoi.get(f"/clients/{site.guests['Robert']}/")
    aoi.submit("Start a conversation")
    aoi.submit("/send/", text="Your room is ready.")
    aoi.submit("New link")
    link = re.search(rf"{site.base}/guard/chat/[^\"\s]+", aoi.page)
    assert link, aoi.text
    guest = Person(site.base, "ja")
    guest.get(link[0])
    assert "Your room is ready." in guest.text
    fields = {"form_token": guest.field("form_token"), "key": guest.field("key"), "text": PRESSING}
    upload(guest, "/guard/chat/", fields, FILE)

    chief = signed_in(site, "chief")
    chief.wait_for("/guard/", "Robert")
    aoi.get(f"/clients/{site.guests['Robert']}/")
    assert PRESSING in aoi.text
    for person, page in ((aoi, aoi.page), (guest, guest.get("/guard/chat/"))):
        address = re.search(r'href="(/guard/(?:chat/)?files/[^"]+)"', page)
        assert address, page
        assert download(person, address[1]) == FILE
    assert b"Your room is ready." in download(aoi, "/guard/api/v1/messages.jsonl")

    # Many at once: each gets their own page in their own language, and each call is recorded once.
    with ThreadPoolExecutor(8) as crowd:
        calls = [crowd.submit(call, site, number % 10) for number in range(20)]
        pages = [
            crowd.submit(download, person, path)
            for person, path in [(chief, "/guard/"), (guest, "/guard/chat/news/")] * 8
        ]
        assert {done.result() for done in calls} == {204}
        told = [done.result().decode() for done in pages]
    assert all("Chief" in page for page in told[::2])
    assert all("Chief" not in page for page in told[1::2])
    heard = download(chief, "/guard/health/ready/")
    assert heard.startswith(b"ok")

    log = site.log.read_text()
    assert "Warning" not in log, log
    assert "Traceback" not in log, log


def download(person: Person, path: str) -> bytes:
    with person.opener.open(person.base + path, timeout=PATIENCE) as answer:
        assert answer.headers["X-Asynchronous"] == "yes"
        return bytes(answer.read())

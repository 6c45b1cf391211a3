"""Runs the whole demo: ``python demo_project/demo.py`` (or ``make demo``). Standard library only.

Loads the data, starts the mail system, web server, worker, beat and mail receiver, waits until each is ready, and stops
all of them on Ctrl-C. ``--data-only`` only loads the data. DEMO_PORT sets the port.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("DEMO_DATA") or ROOT / "var/demo").resolve()
HOST = "127.0.0.1"
OLDEST_PYTHON = (3, 11)
#: How long each part may take to become ready, in seconds; generous, for a small or busy machine.
PATIENCE = 90
LOGINS = ("employee", "employee2", "supervisor", "deputy", "compliance", "auditor")


class Trouble(Exception):
    """A problem that the user can fix; the message says how."""


class Part:
    """One process of the demo, in its own process group, so that Ctrl-C stops the parts in order."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.log = DATA / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def check(self) -> None:
        """Raise Trouble if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise Trouble(f"{self.name} has ended (exit code {code}). The end of its log, {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        return "\n".join(f"    {line}" for line in lines)

    def kill(self) -> None:
        """Kill the whole process group, including child processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> None:
        """Wait for the process for at most ``seconds``."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the demo of crm_contact_guard.")
    parser.add_argument("--data-only", action="store_true", help="load the data and start nothing")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # SIGINT too: a shell starts background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    parts: list[Part] = []
    try:
        check_python()
        port = web_port()
        DATA.mkdir(parents=True, exist_ok=True)
        os.environ.update(DEMO_PORT=str(port), DEMO_DATA=str(DATA), PYTHONUNBUFFERED="1")
        if options.data_only:
            load_data()
            print("The demo's data is in place. Start everything with: make demo")
            return 0
        run(port, parts)
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping the demo…")
        return 0
    finally:
        end(parts)
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        has = ".".join(map(str, sys.version_info[:3]))
        raise Trouble(f"The demo needs Python 3.11 or newer; this is {has} ({sys.executable}).")


def web_port() -> int:
    """The port of the web server: DEMO_PORT, or 8000. The other ports are derived from it."""
    value = os.environ.get("DEMO_PORT") or "8000"
    if not value.isdigit() or not 1 <= int(value) <= 65_500:
        raise Trouble(f"DEMO_PORT={value!r} is not a port: give a number between 1 and 65500, as in DEMO_PORT=8100.")
    return int(value)


def ports(port: int) -> dict[str, int]:
    return {"web": port, "receiver": port + 24, "mail": port + 25}


def check_ports(port: int) -> None:
    """Raise Trouble, which lists every port already in use."""
    used = [f"{number} ({name})" for name, number in ports(port).items() if not is_free(number)]
    if used:
        raise Trouble(
            f"Port {', '.join(used)} is taken on {HOST}. Is another demo running? "
            f"Choose another port: make demo DEMO_PORT={port + 100}"
        )


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def manage(*arguments: str) -> str:
    """Run a management command and return its output. Raises Trouble with the output if it fails."""
    command = [sys.executable, "demo_project/manage.py", *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    with (DATA / "manage.log").open("a", encoding="utf-8") as log:
        log.write(f"$ manage.py {' '.join(arguments)}\n{process.stdout}{process.stderr}")
    if process.returncode:
        output = "\n".join((process.stderr or process.stdout).strip().splitlines()[-15:])
        raise Trouble(f"manage.py {arguments[0]} failed (full log: {DATA / 'manage.log'}):\n{output}")
    return process.stdout.strip()


def load_data() -> None:
    print("Updating the database…")
    manage("migrate", "--no-input", "--verbosity", "0")
    print(manage("demo_data").splitlines()[-1])


def run(port: int, parts: list[Part]) -> None:
    """Start all parts, report when they are ready, and run until one ends or the demo is stopped."""
    started = time.monotonic()
    check_ports(port)
    number = ports(port)
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "demo_project"]
    (DATA / "beat.ready").unlink(missing_ok=True)
    os.environ["DEMO_BEAT_READY"] = str(DATA / "beat.ready")

    def start(name: str, *command: str) -> Part:
        part = Part(name, list(command))
        parts.append(part)
        return part

    # The mail system comes first: loading the data sends mail.
    mail = start(
        "mail", python, "-m", "demo_project.mailbox.server", "--port", str(number["mail"]),
        "--receiver-port", str(number["receiver"]), "--folder", str(DATA / "mail"),
        "--reply-address", "reply@kaede-hotels.example", "--reply-address", "guests@kaede-hotels.example",
    )  # fmt: skip
    wait_for(mail, lambda: greets(number["mail"]))
    load_data()
    print("Starting web server, worker, beat and mail receiver…")
    web = start(
        "web", python, "-m", "gunicorn", "demo_project.wsgi", "--bind", f"{HOST}:{port}", "--threads", "8",
        "--graceful-timeout", "3", "--no-control-socket",
    )  # fmt: skip
    worker = start("worker", *celery, "worker", "--concurrency", "2", "--loglevel", "info", "--without-mingle")
    beat = start("beat", *celery, "beat", "--loglevel", "info", "--schedule", str(DATA / "beat.schedule"), "--pidfile=")
    receiver = start(
        "receiver", python, "demo_project/manage.py", "contact_guard_receive_mail", "--port", str(number["receiver"])
    )
    wait_for(web, lambda: answers(f"http://{HOST}:{port}/login/"))
    wait_for(receiver, lambda: greets(number["receiver"]))
    wait_for(beat, (DATA / "beat.ready").exists)
    worker.check()
    link = manage("demo_link", "--ask-worker", str(PATIENCE)).splitlines()[-1]
    for part in parts:
        part.check()
    print(words(port, link, time.monotonic() - started))
    while True:
        time.sleep(0.5)
        for part in parts:
            part.check()


def wait_for(part: Part, ready: Callable[[], bool]) -> None:
    """Wait until ``ready()`` is true. Raises Trouble if the process ends or takes too long."""
    end_at = time.monotonic() + PATIENCE
    while not ready():
        part.check()
        if time.monotonic() > end_at:
            raise Trouble(f"{part.name} does not answer after {PATIENCE} s. Its log, {part.log}:\n{part.tail()}")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def greets(port: int) -> bool:
    """Whether a mail server answers 220 on the port."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            return connection.recv(4).startswith(b"220")
    except OSError:
        return False


def words(port: int, link: str, seconds: float) -> str:
    """The information printed when the demo is ready."""
    web = f"http://{HOST}:{port}"
    return f"""
The demo is ready ({seconds:.0f} s).  デモの準備ができました。

  CRM                 {web}/
  Contact guard       {web}/guard/
  Guest's chat        {link}
  Everybody's mail    {web}/mailbox/
  API                 {web}/guard/api/v1/schema/

  Logins              {", ".join(LOGINS)}
  Password            demo

  Try it: sign in as supervisor and leave /guard/ open. In another browser open the guest's chat and write
      LINE交換しませんか？ID: hanako_22
  The alert appears on the open page, and a mail in the supervisor's mailbox.

  Logs: {DATA}/*.log      Ctrl-C stops everything.
"""


def end(parts: list[Part]) -> None:
    """Stop all parts, the last started first; a part still running after ten seconds is killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for part in reversed(parts):
        part.process.terminate()  # the leader of each group stops its children
    end_at = time.monotonic() + 10
    for part in reversed(parts):
        part.wait(max(0.1, end_at - time.monotonic()))
        part.kill()
        part.wait(5)


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    sys.exit(main())

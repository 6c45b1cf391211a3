"""What the tests of the mail doors need: a client that sends any bytes, and what a mail costs the process."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings as django_settings

RECIPIENT = "reply+abcdefghjkmnpqrstuvw@kaede.example"
#: The most that one mail may cost: seconds of the processor, bytes of memory.
MOST_SECONDS, MOST_BYTES = 2.0, 200 * 1024 * 1024
#: So many mails are sent if a run is asked for (``make fuzz``); limits on time and memory hold only then.
ASKED_FOR = int(os.environ.get("CONTACT_GUARD_MAILS", "0"))
SEED = int(os.environ.get("CONTACT_GUARD_SEED", "1"))


class Client:
    """An SMTP client that sends bytes as they are (the standard library's changes line ends)."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=600)
        self.lines = self.connection.makefile("rb")
        self.answer()
        self.say(b"EHLO mail.example")

    def answer(self) -> str:
        line = self.lines.readline()
        while line[3:4] == b"-":
            line = self.lines.readline()
        return line.decode("utf-8", "replace").strip()

    def say(self, line: bytes) -> str:
        self.connection.sendall(line + b"\r\n")
        return self.answer()

    def send(self, raw: bytes, sender: bytes = b"hanako@mail.example") -> str:
        """The reply to the mail, which ends with a line end, or to a sender that is refused."""
        reply = self.say(b"MAIL FROM:<" + sender + b">")
        if not reply.startswith("250"):
            return reply
        self.say(b"RCPT TO:<" + RECIPIENT.encode() + b">")
        assert self.say(b"DATA").startswith("354")
        quoted = raw.replace(b"\r\n.", b"\r\n..") if b"\r\n." in raw else raw
        self.connection.sendall(b"." + quoted if quoted.startswith(b".") else quoted)
        self.connection.sendall(b".\r\n")
        return self.answer()

    def close(self) -> None:
        self.lines.close()
        self.connection.close()


@dataclass
class Costs:
    """The highest costs so far, and how many mails there were."""

    mails: int = 0
    seconds: float = 0.0
    wall: float = 0.0
    memory: int = 0
    over: list[str] = field(default_factory=list)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Measure one mail."""
        _reset_peak()
        before, begun, wall = _memory("VmRSS"), time.process_time(), time.monotonic()
        yield
        seconds, wall, memory = time.process_time() - begun, time.monotonic() - wall, _memory("VmHWM") - before
        self.mails += 1
        if seconds > MOST_SECONDS or memory > MOST_BYTES:
            self.over.append(f"{name}: {seconds:.1f} s, {memory >> 20} MB")
        self.seconds, self.wall, self.memory = (
            max(self.seconds, seconds),
            max(self.wall, wall),
            max(self.memory, memory),
        )

    def __str__(self) -> str:
        return (
            f"{self.mails} mails; the slowest took {self.seconds:.2f} s of the processor, {self.wall:.2f} s in all; "
            f"the largest {self.memory / 2**20:.0f} MB"
        )


def _reset_peak() -> None:
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")


def _memory(name: str) -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith(name))


def empty_storage() -> None:
    """Remove the files of the mails so far, which would fill the disk."""
    shutil.rmtree(Path(django_settings.MEDIA_ROOT) / "contact_guard", ignore_errors=True)

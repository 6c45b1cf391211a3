"""A PostgreSQL and a Redis of the test's own, which may be killed, stopped, emptied and starved of disk space."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.ports import free_port
from tests.services.kills.processes import listens

PATIENCE = 60
#: Enough for the cluster and the rows of a campaign.
DISK_MB = 400


def binaries() -> Path:
    """Where Debian keeps the newest PostgreSQL's programs."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"))


class PostgreSQL:
    """A cluster on a small disk of its own. Its programs refuse to run as root, so they run as ``postgres``."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.data = disk / "data"
        self.port = free_port()

    def database(self) -> dict[str, Any]:
        """The entry of Django's ``DATABASES``."""
        host = {"HOST": "127.0.0.1", "PORT": str(self.port), "USER": "postgres"}
        return {"ENGINE": "django.db.backends.postgresql", "NAME": "crm", **host}

    def create(self) -> None:
        self._run("initdb", "--auth", "trust", "--wal-segsize", "1", "--encoding", "UTF8", "--locale", "C.UTF-8")
        self.start()
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE crm")

    def start(self) -> None:
        """Start it, unless it runs."""
        if not listens(self.port):
            # What a kill leaves behind would let the start refuse itself.
            options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_wal_size=32MB"
            self._run("pg_ctl", "-w", "-l", str(self.disk / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a power cut would."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop", fine=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def dump(self) -> bytes:
        """A backup of the whole database."""
        done = subprocess.run(
            [binaries() / "pg_dump", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-Fc", "crm"],
            check=True,
            capture_output=True,
        )
        return done.stdout

    def restore(self, backup: bytes) -> None:
        """Put the backup in the place of the database."""
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as admin:
            admin.execute("DROP DATABASE crm WITH (FORCE)")
            admin.execute("CREATE DATABASE crm")
        command = [binaries() / "pg_restore", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "crm"]
        subprocess.run(command, check=True, input=backup, capture_output=True)

    def _run(self, program: str, *options: str, fine: bool = False) -> None:
        command = ["runuser", "-u", "postgres", "--", str(binaries() / program), "-D", str(self.data), *options]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
        assert fine or done.returncode == 0, f"{program}: {done.stdout} {done.stderr}"


class Redis:
    """Keeps nothing on disk: after a restart it is empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("ab") as log:
            self._running = subprocess.Popen(["redis-server", *options], cwd=self.folder, stdout=log, stderr=log)
        waiting = threading.Event()
        for _ in range(PATIENCE * 20):
            if listens(self.port):
                return
            waiting.wait(0.05)
        raise AssertionError("Redis never listened")

    def kill(self) -> None:
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait(PATIENCE)
            self._running = None


@contextmanager
def servers(folder: Path) -> Iterator[tuple[PostgreSQL, Redis]]:
    """Both, running."""
    disk = Path(tempfile.mkdtemp(prefix="chaos_", dir="/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", disk], check=True)
    postgresql, redis = PostgreSQL(disk), Redis(folder)
    try:
        shutil.chown(disk, "postgres", "postgres")
        os.chmod(disk, 0o700)  # noqa: PTH101 - as initdb asks for
        postgresql.create()
        redis.start()
        yield postgresql, redis
    finally:
        redis.kill()
        postgresql.stop()
        subprocess.run(["umount", "--lazy", disk], check=False)
        shutil.rmtree(disk, ignore_errors=True)

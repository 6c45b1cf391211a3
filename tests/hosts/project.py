"""A host's project in a folder of its own: its commands, its server, its database."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.environment import Environment
from tests.hosts.person import PATIENCE


class Project:
    """Commands are what a reader types into a shell in this folder, with the host's environment active."""

    def __init__(self, folder: Path, environment: Environment, **variables: str) -> None:
        self.folder = folder
        self.variables: Mapping[str, str] = {**environment.variables, **variables}

    @classmethod
    def of(cls, folder: Path, environment: Environment, databases: Mapping[str, Any], mail_port: int) -> Project:
        """A project named ``project`` whose settings ask the environment for databases and mail server."""
        return cls(
            folder,
            environment,
            HOST_DATABASES=json.dumps(databases),
            HOST_MAIL_PORT=str(mail_port),
            DJANGO_SETTINGS_MODULE="project.settings",
            PYTHONPATH=str(folder),
        )

    def write(self, name: str, text: str) -> None:
        """Add text to a file of the project."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(text)

    def run(self, command: str, *, code: int | None = 0) -> str:
        """Run a command, expect its exit code (None: any), and return all it said."""
        done = subprocess.run(
            shlex.split(command),
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert code in (done.returncode, None), f"$ {command}\n{done.stdout[-6000:]}"
        return done.stdout

    @contextmanager
    def serving(self, command: str, *, port: int) -> Iterator[str]:
        """The site while the command runs it; yields its address. All that it started ends with it."""
        log = self.folder / "server.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=self.folder,
                env=self.variables,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)

    def _wait(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        pause = threading.Event()
        for _ in range(PATIENCE * 5):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert process.poll() is None, log.read_text()[-4000:]
            pause.wait(0.2)
        raise AssertionError(f"no server on port {port}: {log.read_text()[-4000:]}")

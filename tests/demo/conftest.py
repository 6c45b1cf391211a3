"""The demo project in a separate folder, run by its own commands, since it is another project than the tests'."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]

#: The demo also uses the ports at these offsets: receiver and mail.
NEIGHBOURS = (24, 25)


@dataclass
class Demo:
    """Commands of the demo with its data in ``folder``."""

    folder: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEMO_", "DJANGO_"))}
        self.environment = {**kept, "DEMO_DATA": str(self.folder), "DEMO_PORT": str(self.port)}

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("demo_project/manage.py", *arguments)

    def ask(self, code: str) -> str:
        """Run Python code in the demo project and return its output."""
        done = self.manage("shell", "--no-imports", "--command", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo with its data loaded and nothing running."""
    found = Demo(tmp_path_factory.mktemp("demo"), free_port(NEIGHBOURS))
    done = found.run("demo_project/demo.py", "--data-only")
    assert done.returncode == 0, done.stderr
    return found

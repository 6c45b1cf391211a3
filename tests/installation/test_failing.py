"""Commands with an unavailable or empty database: a message and an exit code, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [(["contact_guard_sync"], 1), (["contact_guard_export", "--out", "/dev/null"], 2), (["contact_guard_check"], 1)],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_an_unavailable_database_is_reported(command: list[str], code: int) -> None:
    port = free_port()
    done = run(
        *command,
        DJANGO_SETTINGS_MODULE="tests.settings_postgresql",
        TEST_POSTGRESQL_URL=f"postgresql://crm@127.0.0.1:{port}/crm",
    )

    assert done.returncode == code
    assert "The database (postgresql 'crm' on 127.0.0.1) can't be reached" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_without_tables_is_reported() -> None:
    done = run("contact_guard_sync")

    assert done.returncode == 1
    assert "If tables are missing, run manage.py migrate." in done.stderr
    assert "Traceback" not in done.stderr

"""DRF reads a host's settings when its modules are imported, so an odd host gets a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_hosts_drf_settings_change_nothing(request: pytest.FixtureRequest) -> None:
    here = Path(__file__).parent
    chosen = [
        "test_matrix.py::test_each_role_on_each_address[sora]",
        "test_matrix.py::test_each_role_on_each_address[nobody]",
        "test_problems.py",
        "test_schema.py",
        "test_sending.py::test_a_message_is_recorded_queued_and_given_back",
        "test_sending.py::test_what_can_not_be_sent_is_named",
        "test_reading.py::test_filters",
    ]
    # An in-memory database of its own, whatever the other tests run on.
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.api.odd_host"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ds", "tests.api.odd_host"]
        + [str(here / name) for name in chosen],
        check=False,
        cwd=request.config.rootpath,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )

    assert done.returncode == 0, done.stdout[-3000:]

"""Hosts that keep their people as nobody expects; on PostgreSQL in tests/services."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def live(root: Path, way: str, **variables: str) -> None:
    """A customer's life in the host that keeps its customers this way."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.strange_people.life"],
        check=False,
        cwd=root,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.strange_people.settings", "PEOPLE": way, **variables},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] == ["well"], done.stderr[-3000:]


@pytest.mark.parametrize("way", ["a child of another table", "keys of text", "users"])
def test_customers_however_they_are_kept(way: str, request: pytest.FixtureRequest) -> None:
    live(request.config.rootpath, way)

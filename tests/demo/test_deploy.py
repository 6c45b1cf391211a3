"""Django's checks of the demo as it is deployed: behind TLS, and on one's own machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("address", ["https://crm.kaede.example", ""])
def test_the_settings_pass_the_checks_for_deployment(address: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "demo_project/manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        check=False,
        cwd=ROOT,
        env={**os.environ, "DEMO_DATA": str(tmp_path), "DEMO_PUBLIC_URL": address}
        | {"DJANGO_SETTINGS_MODULE": "demo_project.settings"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout

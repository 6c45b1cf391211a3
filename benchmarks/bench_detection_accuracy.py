"""Evaluates detection on held-out data; exit code 1 if a figure is worse than the recorded one.

    python benchmarks/bench_detection_accuracy.py

Unlike timings it is deterministic, so it may fail a build. Reads every sixth line and thread, which takes some minutes
on one core; ``python -m training.evaluate`` reads all. After training, ``--record`` writes the new reference figures.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "training" / "figures_sampled.json"
EVERY = "6"

if __name__ == "__main__":
    # One thread: the matrices are small, and a build needs the other core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    from training import evaluate

    option = "--json" if "--record" in sys.argv else "--check"
    sys.argv[1:] = ["--every", EVERY, option, str(RECORDED)]
    sys.exit(evaluate.main())

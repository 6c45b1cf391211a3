"""Figures on what no training has read; exit 1 when one is worse than the recorded ones.

    python benchmarks/bench_detection_accuracy.py

Deterministic, so it may fail a build, in contrast to times. Reads every sixth line and thread, which takes some minutes of one
core; ``python -m training.evaluate`` reads all. After a training, ``--record`` writes the figures that are held from then on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "training" / "figures_sampled.json"
EVERY = "6"

if __name__ == "__main__":
    # One thread: the matrices are small, and a second core has other work in a build.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    from training import evaluate

    way = "--json" if "--record" in sys.argv else "--check"
    sys.argv[1:] = ["--every", EVERY, way, str(RECORDED)]
    sys.exit(evaluate.main())

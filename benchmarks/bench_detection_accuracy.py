"""Figures on what no training has read; exit 1 when one is worse than the recorded ones.

    python benchmarks/bench_detection_accuracy.py [--quick]

Deterministic, so it may fail a build, in contrast to times; see ``training.evaluate``.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from training import evaluate  # noqa: E402

if __name__ == "__main__":
    name = "figures_quick.json" if "--quick" in sys.argv else "figures.json"
    sys.argv[1:] += ["--check", str(ROOT / "training" / name)]
    sys.exit(evaluate.main())

"""Cross-validated precision, recall and F1 by label, language and technique; exit 1 when below the recorded figures.

    python benchmarks/bench_detection_accuracy.py [--quick]

Deterministic, so it may fail a build, in contrast to times. Takes about two minutes; see ``training.evaluate``.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from training import evaluate  # noqa: E402

if __name__ == "__main__":
    sys.argv[1:] += ["--check", str(ROOT / "training" / "figures.json")]
    sys.exit(evaluate.main())

"""Train the ranker: ``python -m training.train [--out FILE]``. Deterministic; needs scikit-learn.

Reads ``dataset.training_files()``, never a held-out file, and writes the weights the package ships.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection.features import space
from training import dataset

#: Inverse strength of the regularisation, and the scale of the n-grams beside the named features (cross-validated).
STRENGTH = 0.2
GRAM_WEIGHT = 1.0
OUT = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights" / "ranker.npz"


def model() -> LogisticRegression:
    """The untrained model."""
    return LogisticRegression(C=STRENGTH, max_iter=3000)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the ranker and write its weights.")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    files = dataset.training_files()
    rows = [row for path in files for row in dataset.read(path) if "text" in row]
    fitted = model().fit(dataset.matrix(rows, GRAM_WEIGHT), dataset.attempts(rows))
    names = space().names
    weights = fitted.coef_[0]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]
    options.out.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        options.out,
        names=np.array(names),
        dense=weights[: len(names)].astype(np.float32),
        grams=(weights[len(names) :] * GRAM_WEIGHT).astype(np.float16),
        bias=np.float32(fitted.intercept_[0]),
        version=np.array(f"ranker-2026.11.1+{digest}"),
    )
    print(f"{len(rows)} lines of {len(files)} files -> {options.out} ({options.out.stat().st_size} bytes)")


if __name__ == "__main__":
    main()

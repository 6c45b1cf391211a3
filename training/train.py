"""Train the quick scan's ranker: ``python -m training.train``. Deterministic; needs scikit-learn.

Reads the corpus, the project's own lines and threads, the writers' lines, and half of the real conversations, but never
a held-out file. The log odds are then calibrated to real use on data that the model has not seen (see ``calibration``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection.ranker import model as runtime
from crm_contact_guard.detection.ranker.features import space
from crm_contact_guard.detection.text.ngrams import SCALE
from training import calibration, compose, dataset, real

#: Inverse strength of the regularisation (chosen by leaving writers out).
STRENGTH = 0.4
#: The solver is three times as fast as the default one here, but regularises the intercept; this scale weakens that.
INTERCEPT = 5.0
COMPOSED_WEIGHT = 0.5
SMALLTALK_WEIGHT = 1.0
#: Weight of a real message, relative to a labelled line.
REAL_WEIGHT = 1.0
#: Number of folds in the cross-validation for the calibration. Lines are assigned to folds by file and thus by writer.
FOLDS = 5
RELEASE = "2026.11.5"
WEIGHTS = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights"
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Training lines: the rows, whether each row is an attempt, its weight, and the file it comes from."""

    rows: list[dataset.Row]
    attempts: npt.NDArray[np.bool_]
    weights: Scores
    sources: list[str]

    def only(self, mask: npt.NDArray[np.bool_]) -> Labelled:
        """Return the lines selected by a mask."""
        places = np.flatnonzero(mask)
        rows, sources = [self.rows[n] for n in places], [self.sources[n] for n in places]
        return Labelled(rows, self.attempts[places], self.weights[places], sources)


def labelled() -> Labelled:
    """Return all training lines for the ranker."""
    rows: list[dataset.Row] = []
    weights: list[float] = []
    sources: list[str] = []

    def add(some: Sequence[dataset.Row], source: str, weight: Sequence[float] | float) -> None:
        rows.extend(some)
        sources.extend([source] * len(some))
        weights.extend([weight] * len(some) if isinstance(weight, float) else weight)

    for path in dataset.message_files():
        add(dataset.read(path), path.stem, dataset.CORPUS_WEIGHT if path in (dataset.CORPUS, dataset.MESSY) else 1.0)
    for path in dataset.thread_files():
        add(*_chatter(path))
    add(compose.rows(), "composed", COMPOSED_WEIGHT)
    add(dataset.read(dataset.SMALLTALK), "smalltalk", SMALLTALK_WEIGHT)
    for name in real.MESSAGES if real.available() else ():
        add([{**row, "label": "benign"} for row in real.messages(name)], name, REAL_WEIGHT)
    return Labelled(rows, dataset.attempts(rows), np.array(weights), sources)


def _chatter(path: Path) -> tuple[list[dataset.Row], str, list[float]]:
    rows, weights = dataset.chatter(dataset.read(path))
    return rows, path.stem.removesuffix(".threads"), weights.tolist()


def fit_ranker(data: Labelled) -> LogisticRegression:
    """Fit the logistic regression."""
    model = LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=True, random_state=0, intercept_scaling=INTERCEPT, tol=0.01, max_iter=3000
    )
    return model.fit(dataset.matrix(data.rows), data.attempts, sample_weight=data.weights)


def groups(sources: Sequence[str], count: int = FOLDS) -> npt.NDArray[np.int64]:
    """Return the fold of each line. All lines of a file are in the same fold."""
    names = sorted(set(sources), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    fold = {name: number % count for number, name in enumerate(names)}
    return np.array([fold[source] for source in sources])


def unseen_odds(data: Labelled) -> Scores:
    """Return the log odds of each line from a ranker that was trained without the line's file."""
    fold, odds = groups(data.sources), np.zeros(len(data.rows))
    for number in range(FOLDS):
        fitted = fit_ranker(data.only(fold != number))
        held_out = fold == number
        odds[held_out] = fitted.decision_function(dataset.matrix(data.only(held_out).rows))
    return odds


def use(fitted: LogisticRegression, version: str, scale: calibration.Scale = calibration.NONE) -> runtime.Ranker:
    """Replace the shipped ranker with a fitted one in this process. Return the new ranker."""
    names = space().names
    weights = fitted.coef_[0] * scale.slope
    dense = weights[: len(names)].astype(np.float32)
    dense[space().pairs :] *= dataset.PAIR_WEIGHT
    grams = weights[len(names) :] * dataset.GRAM_WEIGHT * SCALE
    step = float(np.abs(grams).max()) / 127
    quantised: npt.NDArray[np.int8] = np.round(grams / step).astype(np.int8)
    bias = float(fitted.intercept_[0]) * scale.slope + scale.shift
    ranker = runtime.Ranker(list(names), dense.tolist(), quantised, step, bias, version)
    runtime._loaded[:] = [ranker]
    return ranker


def main() -> None:
    """Train and write the weights."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in dataset.all_files())).hexdigest()[:8]
    data = labelled()
    odds = unseen_odds(data)
    fitted = fit_ranker(data)
    written = np.array([source not in real.MESSAGES for source in data.sources])
    talk = [row for name in real.MESSAGES if real.available() for row in real.messages(name, "calibration")]
    talk_odds = fitted.decision_function(dataset.matrix(talk)) if talk else np.zeros(0)
    scale = calibration.scale(odds[written], data.attempts[written], talk_odds)
    ranker = use(fitted, f"ranker-{RELEASE}+{digest}", scale)
    np.savez_compressed(
        WEIGHTS / "ranker.npz",
        names=np.array(space().names),
        dense=np.array(ranker.learned, dtype=np.float32),
        grams=ranker.grams,
        step=np.float32(ranker.step),
        bias=np.float32(ranker.bias),
        version=np.array(ranker.version),
    )
    print(f"{len(data.rows)} lines -> {WEIGHTS / 'ranker.npz'}, version {ranker.version}, {scale}")


if __name__ == "__main__":
    main()

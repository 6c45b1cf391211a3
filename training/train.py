"""Train the quick scan's ranker: ``python -m training.train``. Deterministic; needs scikit-learn.

Reads the corpus, the project's own lines and threads, what the writers wrote, and half of the real talk; never a held-out
file. The log odds it learns are then calibrated to life on lines and talk that the fold had not seen: see ``calibration``.
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
#: The solver, three times as quick as the standard one here, counts the intercept among the weights that are kept small:
#: so much less.
INTERCEPT = 5.0
COMPOSED_WEIGHT = 0.5
SMALLTALK_WEIGHT = 1.0
#: How much a line of real talk counts beside a labelled one.
REAL_WEIGHT = 1.0
#: Groups of files that are left out in turn for the calibration: by writer, never by line.
FOLDS = 5
RELEASE = "2026.11.5"
WEIGHTS = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights"
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Lines to learn from: rows, whether each is an attempt, how much it counts, and the file it comes from."""

    rows: list[dataset.Row]
    attempts: npt.NDArray[np.bool_]
    weights: Scores
    sources: list[str]

    def only(self, wanted: npt.NDArray[np.bool_]) -> Labelled:
        """Some of them."""
        places = np.flatnonzero(wanted)
        rows, sources = [self.rows[n] for n in places], [self.sources[n] for n in places]
        return Labelled(rows, self.attempts[places], self.weights[places], sources)


def labelled() -> Labelled:
    """Everything the ranker may learn from."""
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


def fit_ranker(given: Labelled) -> LogisticRegression:
    """The message model."""
    model = LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=True, random_state=0, intercept_scaling=INTERCEPT, tol=0.01, max_iter=3000
    )
    return model.fit(dataset.matrix(given.rows), given.attempts, sample_weight=given.weights)


def groups(sources: Sequence[str], count: int = FOLDS) -> npt.NDArray[np.int64]:
    """A fold for each line, all of one file in the same."""
    names = sorted(set(sources), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    fold = {name: number % count for number, name in enumerate(names)}
    return np.array([fold[source] for source in sources])


def unseen_odds(given: Labelled) -> Scores:
    """Log odds of each line by a ranker that has seen no line of its file."""
    fold, found = groups(given.sources), np.zeros(len(given.rows))
    for number in range(FOLDS):
        fitted = fit_ranker(given.only(fold != number))
        own = fold == number
        found[own] = fitted.decision_function(dataset.matrix(given.only(own).rows))
    return found


def use(fitted: LogisticRegression, version: str, scale: calibration.Scale = calibration.NONE) -> runtime.Ranker:
    """Put a fitted ranker in the place of the shipped one, in this process; returns it."""
    names = space().names
    weights = fitted.coef_[0] * scale.slope
    dense = weights[: len(names)].astype(np.float32)
    dense[space().pairs :] *= dataset.PAIR_WEIGHT
    grams = weights[len(names) :] * dataset.GRAM_WEIGHT * SCALE
    step = float(np.abs(grams).max()) / 127
    quantised: npt.NDArray[np.int8] = np.round(grams / step).astype(np.int8)
    bias = float(fitted.intercept_[0]) * scale.slope + scale.shift
    made = runtime.Ranker(list(names), dense.tolist(), quantised, step, bias, version)
    runtime._loaded[:] = [made]
    return made


def main() -> None:
    """Train and write."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in dataset.all_files())).hexdigest()[:8]
    given = labelled()
    odds = unseen_odds(given)
    fitted = fit_ranker(given)
    written = np.array([source not in real.MESSAGES for source in given.sources])
    talk = [row for name in real.MESSAGES if real.available() for row in real.messages(name, "calibration")]
    of_talk = fitted.decision_function(dataset.matrix(talk)) if talk else np.zeros(0)
    scale = calibration.scale(odds[written], given.attempts[written], of_talk)
    made = use(fitted, f"ranker-{RELEASE}+{digest}", scale)
    np.savez_compressed(
        WEIGHTS / "ranker.npz",
        names=np.array(space().names),
        dense=np.array(made.learned, dtype=np.float32),
        grams=made.grams,
        step=np.float32(made.step),
        bias=np.float32(made.bias),
        version=np.array(made.version),
    )
    print(f"{len(given.rows)} lines -> {WEIGHTS / 'ranker.npz'}, version {made.version}, {scale}")


if __name__ == "__main__":
    main()

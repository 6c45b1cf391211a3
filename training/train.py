"""Train the ranker and the thread model: ``python -m training.train``. Deterministic; needs scikit-learn.

Reads ``dataset.message_files()`` and ``thread_files()``, never a held-out file, and writes the weights the package
ships. The thread model is fitted on readings by a ranker that has not seen the thread (folds), else it would trust the
ranker more than it deserves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection import ranker as runtime
from crm_contact_guard.detection import scan
from crm_contact_guard.detection import threads as thread_runtime
from crm_contact_guard.detection.features import space
from crm_contact_guard.detection.ngrams import SCALE
from training import compose, dataset

#: Inverse strength of the regularisation (chosen by cross-validation).
STRENGTH = 0.4
#: The solver, three times as quick as the standard one here, counts the intercept among the weights that are kept small:
#: so much less.
INTERCEPT = 5.0
COMPOSED_WEIGHT = 0.5
SMALLTALK_WEIGHT = 3.0
THREAD_STRENGTH = 0.1
FOLDS = 5
RELEASE = "2026.11.4"
WEIGHTS = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights"


def fit_ranker(rows: list[dataset.Row], threads: list[dataset.Row]) -> LogisticRegression:
    """The message model."""
    extra, weights = dataset.chatter(threads)
    composed, smalltalk = compose.rows(), dataset.read(dataset.SMALLTALK)
    extra = extra + composed + smalltalk
    weights = np.concatenate(
        [weights, np.full(len(composed), COMPOSED_WEIGHT), np.full(len(smalltalk), SMALLTALK_WEIGHT)]
    )
    labels = np.concatenate([dataset.attempts(rows), dataset.attempts(extra)])
    model = LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=True, random_state=0, intercept_scaling=INTERCEPT, tol=0.01, max_iter=3000
    )
    weights = np.concatenate([dataset.weights_of(rows), weights])
    return model.fit(dataset.matrix(rows + extra), labels, sample_weight=weights)


def fit_threads(points: list[thread_runtime.Reading], labels: list[bool]) -> LogisticRegression:
    """The thread model."""
    return LogisticRegression(C=THREAD_STRENGTH, max_iter=5000, class_weight={False: 1.0, True: 4.0}).fit(
        dataset.thread_matrix(points), labels
    )


def dense_weights(fitted: LogisticRegression) -> npt.NDArray[np.float32]:
    """The weights of the named features, as they count at run time."""
    weights = fitted.coef_[0][: len(space().names)].astype(np.float32)
    weights[space().pairs :] *= dataset.PAIR_WEIGHT
    return weights


def use(fitted: LogisticRegression, version: str) -> runtime.Ranker:
    """Put a fitted ranker in the place of the shipped one, in this process; returns it."""
    names = space().names
    weights = fitted.coef_[0]
    grams = weights[len(names) :] * dataset.GRAM_WEIGHT * SCALE
    step = float(np.abs(grams).max()) / 127
    quantised: npt.NDArray[np.int8] = np.round(grams / step).astype(np.int8)
    made = runtime.Ranker(
        list(names), dense_weights(fitted).tolist(), quantised, step, float(fitted.intercept_[0]), version
    )
    runtime._loaded[:] = [made]
    return made


def thread_weights(fitted: LogisticRegression) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of ``threads.npz``."""
    names = space().names[: space().pairs]
    weights = fitted.coef_[0]
    count = len(thread_runtime.NUMBERS)
    return {
        "names": np.array(names),
        "numbers": weights[:count].astype(np.float32),
        "joined": (weights[count : count + len(names)] * dataset.THREAD_FEATURE_WEIGHT).astype(np.float32),
        "context": (weights[count + len(names) :] * dataset.THREAD_FEATURE_WEIGHT).astype(np.float32),
        "bias": np.float32(fitted.intercept_[0]),
    }


@dataclass(frozen=True, slots=True)
class HonestThread:
    """A thread as read by a ranker fitted without it: readings, whether each completes an attempt, scores of the scan."""

    points: list[thread_runtime.Reading]
    labels: list[bool | None]
    scores: list[float]

    def known(self) -> list[tuple[thread_runtime.Reading, bool]]:
        """Readings up to the one with which the thread is decided."""
        return [(point, label) for point, label in zip(self.points, self.labels, strict=True) if label is not None]


def honest_threads(rows: list[dataset.Row], threads: list[dataset.Row]) -> list[HonestThread]:
    """Each thread by a ranker fitted without it."""
    found: dict[int, HonestThread] = {}
    for fold in range(FOLDS):
        use(fit_ranker(rows, [t for n, t in enumerate(threads) if n % FOLDS != fold]), "fold")
        for number, thread in enumerate(threads):
            if number % FOLDS == fold:
                scores = [
                    scan(message.text, direction=message.direction).score for message in dataset.as_messages(thread)
                ]
                found[number] = HonestThread(*dataset.thread_points(thread), scores)
    return [found[number] for number in range(len(threads))]


def main() -> None:
    """Train and write."""
    paths = [*dataset.message_files(), *dataset.thread_files(), dataset.SMALLTALK]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:8]
    rows = [row for path in dataset.message_files() for row in dataset.read(path)]
    threads = [thread for path in dataset.thread_files() for thread in dataset.read(path)]
    known = [pair for thread in honest_threads(rows, threads) for pair in thread.known()]
    fitted_threads = fit_threads([point for point, _ in known], [label for _, label in known])
    fitted = fit_ranker(rows, threads)
    made = use(fitted, f"ranker-{RELEASE}+{digest}")
    WEIGHTS.mkdir(exist_ok=True)
    np.savez_compressed(
        WEIGHTS / "ranker.npz",
        names=np.array(space().names),
        dense=dense_weights(fitted),
        grams=made.grams,
        step=np.float32(made.step),
        bias=np.float32(made.bias),
        version=np.array(made.version),
    )
    np.savez_compressed(WEIGHTS / "threads.npz", **thread_weights(fitted_threads))
    print(f"{len(rows)} lines, {len(threads)} threads -> {WEIGHTS}, version {made.version}")


if __name__ == "__main__":
    main()

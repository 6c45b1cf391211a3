"""Labelled lines and threads, and their feature matrices, for training and evaluation."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crm_contact_guard.detection.ranker.describing import extract
from crm_contact_guard.detection.ranker.features import space
from crm_contact_guard.detection.text.ngrams import BUCKETS, SCALE, buckets
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction, ThreadMessage

HERE = Path(__file__).parent
CORPUS = HERE / "corpus" / "messages.jsonl"
MESSY = HERE / "corpus" / "messy.jsonl"
THREADS = HERE / "corpus" / "threads.jsonl"
SMALLTALK = HERE / "data" / "smalltalk.jsonl"
ATTEMPTS = ("identifier", "solicit")
#: Writers whose lines are never used for training or for fixing errors, because releases are measured on them.
HELD_OUT = frozenset({"w06", "w09", "w10", "w23", "w28", "w31"})
#: Writers whose lines are not used for the ranker and the encoder, so that the last stage can be fitted on them.
CALIBRATION = frozenset({"w12", "w20", "w25", "w29"})
#: The three groups of writers.
Part = Literal["training", "calibration", "held out"]
#: Weight of a line from the shared corpus, which is the most similar to real use, relative to the project's own lines.
CORPUS_WEIGHT = 3.0
#: Weight of a harmless message in a thread, relative to a labelled line.
CHATTER_WEIGHT = 0.3
#: Scale of the character n-grams relative to the other features (controls the regularisation).
GRAM_WEIGHT = 2.0
#: Scale of the features for pairs within a clause.
PAIR_WEIGHT = 0.5
Row = dict[str, Any]
Matrix = sparse.csr_matrix


def read(path: Path) -> list[Row]:
    """Return the lines of a file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def early_files() -> list[Path]:
    """Return the files with the project's first lines and threads, small talk and harassment, without the holdouts."""
    own = sorted((HERE / "data").glob("*.jsonl"))
    return [path for path in own if not path.name.startswith(("holdout_", "harassment_holdout", "plain_"))]


def plain_files() -> list[Path]:
    """Return the files for the encoder's last round: short lines without disguise, and their harmless counterparts."""
    return sorted((HERE / "data").glob("plain_*.jsonl"))


def writer_files(part: Part = "training") -> list[Path]:
    """Return the files with lines by the writers of one part."""
    return [path for path in _of_writers(part) if not path.name.endswith(".threads.jsonl")]


def writer_thread_files(part: Part = "training") -> list[Path]:
    """Return the files with threads by the writers of one part."""
    return [path for path in _of_writers(part) if path.name.endswith(".threads.jsonl")]


def _of_writers(part: Part) -> list[Path]:
    return [
        path for path in sorted((HERE / "data" / "writers").glob("*.jsonl")) if _part(path.name.split(".")[0]) == part
    ]


_PARTS: dict[Part, frozenset[str]] = {"held out": HELD_OUT, "calibration": CALIBRATION}


def _part(writer: str) -> Part:
    for part, writers in _PARTS.items():
        if writer in writers:
            return part
    return "training"


def message_files() -> list[Path]:
    """Return the files with single messages for training the ranker.

    They are the corpus and the project's own files, without the holdouts.
    """
    early = [path for path in early_files() if not path.name.startswith(("threads_", "harassment", "smalltalk"))]
    return [CORPUS, MESSY, *early, *plain_files(), *writer_files()]


def thread_files() -> list[Path]:
    """Return the files with threads for training."""
    return [THREADS, *sorted((HERE / "data").glob("threads_*.jsonl")), *writer_thread_files()]


def all_files() -> list[Path]:
    """Return every file that any training reads, except real conversations, which don't belong to the project."""
    return [CORPUS, MESSY, THREADS, *early_files(), *plain_files(), *writer_files(), *writer_thread_files()]


def holdout_files() -> list[Path]:
    """Return the files that no training reads."""
    return [*sorted((HERE / "data").glob("holdout_*.jsonl")), *writer_files("held out")]


def weights_of(rows: list[Row]) -> npt.NDArray[np.float64]:
    """Return the weight of each labelled line."""
    corpus = {row["id"] for row in read(CORPUS)}
    return np.array([CORPUS_WEIGHT if row["id"] in corpus else 1.0 for row in rows])


def attempts(rows: list[Row]) -> npt.NDArray[np.bool_]:
    """Return whether each row is an attempt."""
    return np.array([row["label"] in ATTEMPTS for row in rows])


def chatter(threads: list[Row]) -> tuple[list[Row], npt.NDArray[np.float64]]:
    """Return messages from threads that are harmless on their own, as benign rows, and their weights."""
    rows: list[Row] = []
    weights: list[float] = []
    for thread in threads:
        for index, message in enumerate(thread["messages"]):
            clean = thread["label"] == "clean"
            if clean or index < thread["evidence_at"] or side(message) != thread["by"]:
                rows.append(
                    {
                        "text": message["text"],
                        "direction": message["direction"],
                        "label": "benign",
                        "lang": thread["lang"],
                    }
                )
                weights.append(CHATTER_WEIGHT * (1.0 if clean else 0.5))
    return rows, np.array(weights)


def side(message: Row) -> str:
    """Return who wrote a message of a thread."""
    return "employee" if message["direction"] == "outbound" else "customer"


def matrix(rows: list[Row]) -> Matrix:
    """Return a matrix of rows × (features + n-gram buckets)."""
    parts = [_features(row["text"], row["direction"]) for row in rows]
    starts = np.cumsum([0, *(len(which) for which, _ in parts)])
    return sparse.csr_matrix(
        (np.concatenate([values for _, values in parts]), np.concatenate([which for which, _ in parts]), starts),
        shape=(len(rows), len(space().names) + BUCKETS),
    )


@cache
def _features(text: str, direction: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the distinct columns of a line and their values. Cached, since most lines are used again in every fold."""
    pairs = space().pairs
    normalised = normalise(text)
    text = normalised.text
    active = extract(normalised, 0, len(text), Direction(direction), Company()).active
    hashed = len(space().names) + buckets(text).astype(np.int64)
    gram = GRAM_WEIGHT * SCALE / math.sqrt(max(1, len(hashed)))
    which = np.concatenate([np.array(active, dtype=np.int64), hashed])
    values = np.array([PAIR_WEIGHT if feature >= pairs else 1.0 for feature in active] + [gram] * len(hashed))
    columns, place = np.unique(which, return_inverse=True)
    return columns, np.bincount(place, weights=values)


def as_messages(thread: Row) -> list[ThreadMessage]:
    """Convert a thread of the corpus to input for the engine."""
    return [
        ThreadMessage(
            message["text"], Direction(message["direction"]), float(message.get("minutes_after_previous") or 0)
        )
        for message in thread["messages"]
    ]

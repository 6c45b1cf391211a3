"""Threads: what no single message holds, spread over several of one side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from crm_contact_guard.detection import engine
from crm_contact_guard.detection.types import By, Company, Direction, Finding, Scan, Stance, ThreadMessage, ThreadVerdict

#: How many earlier messages of one side are read together with its newest.
REACH = 5
#: Messages further back than this (minutes) belong to another talk.
GAP = 3 * 24 * 60.0
#: Joined texts are noisier than one message: they must weigh more.
JOINED_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class _Joined:
    """Several messages of one side as one text; ``starts`` are the offsets at which they begin."""

    text: str
    indexes: tuple[int, ...]
    starts: tuple[int, ...]


def read_thread(messages: Sequence[ThreadMessage], *, company: Company | None = None) -> ThreadVerdict:
    """Verdict on a conversation, oldest message first. ``at`` is the message with which the evidence is complete.

    Findings carry the index of their message; one that spans several is given once a message. Never raises.
    """
    company = company or engine.NO_COMPANY
    threshold = engine.THRESHOLD if company.threshold is None else company.threshold
    findings: list[Finding] = []
    verdict: tuple[Scan, int] | None = None
    best = 0.0
    for index, message in enumerate(messages):
        single = engine.scan(message.text, direction=message.direction, company=company)
        findings.extend(replace(finding, message=index) for finding in single.findings)
        best = max(best, single.score)
        if verdict is not None:
            continue
        if single.attempt:
            verdict = single, index
            continue
        joined = _join(messages, index)
        if joined is not None:
            together = engine.scan(joined.text, direction=message.direction, company=company)
            best = max(best, together.score)
            if together.attempt and together.score >= threshold + JOINED_MARGIN:
                verdict = together, index
                findings.extend(_spread(together, joined))
    if verdict is None:
        return ThreadVerdict(False, None, Stance.NONE, None, best, tuple(findings))
    scan, at = verdict
    by = scan.by or (By.CUSTOMER if messages[at].direction is Direction.INBOUND else By.EMPLOYEE)
    return ThreadVerdict(True, by, scan.stance, at, best, tuple(findings))


def _join(messages: Sequence[ThreadMessage], index: int) -> _Joined | None:
    """The newest message with the earlier ones of the same side, and the question they answer."""
    side = messages[index].direction
    indexes = [index]
    minutes = messages[index].minutes_after_previous
    for earlier in range(index - 1, -1, -1):
        if minutes > GAP or len(indexes) > REACH:
            break
        if messages[earlier].direction is side:
            indexes.insert(0, earlier)
        minutes += messages[earlier].minutes_after_previous
    if len(indexes) < 2:
        return None
    text = ""
    starts = []
    for number in indexes:
        starts.append(len(text))
        text += messages[number].text + "\n"
    return _Joined(text, tuple(indexes), tuple(starts))


def _spread(scan: Scan, joined: _Joined) -> Iterator[Finding]:
    for finding in scan.findings:
        for index, start, end in zip(joined.indexes, joined.starts, (*joined.starts[1:], len(joined.text)), strict=True):
            low, high = max(finding.start, start), min(finding.end, end - 1)
            if low < high:
                yield replace(finding, start=low - start, end=high - start, message=index)

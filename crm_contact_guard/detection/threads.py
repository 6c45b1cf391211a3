"""Judges messages in the context of their conversation, with the quick scan, conversation evidence and the encoder.

Supervision calls ``read_message`` for each incoming message; ``read_thread`` does the same for each message of a whole
conversation, so both give the same verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from crm_contact_guard.detection import engine
from crm_contact_guard.detection.evidence import ATTEMPT_KINDS
from crm_contact_guard.detection.segments import pretended, words_of_others
from crm_contact_guard.detection.thread_reader import REACH, Reader
from crm_contact_guard.detection.types import (
    Company,
    Direction,
    Kind,
    Scan,
    Stance,
    ThreadMessage,
    ThreadVerdict,
    Tier,
)

#: Quote marks at the beginning of lines. The encoder has learned that quoted text is somebody else's, so they are
#: removed from false quotes.
_QUOTE_MARKS = re.compile(r"^[>＞|｜ 　]+", re.MULTILINE)
NOTHING = ThreadVerdict(False, None, Stance.NONE, None, 0.0)


def read_message(
    messages: Sequence[ThreadMessage],
    *,
    company: Company | None = None,
    semantic_stage: bool = False,
    said: Sequence[str] | None = None,
) -> ThreadVerdict:
    """Return the verdict on the newest message of a conversation. Messages are passed oldest first.

    In the verdict, ``at`` is the index of the newest message if its tier is ``noticed`` or ``alert``, and None
    otherwise. ``said`` holds the recorded messages of the conversation, as for ``engine.scan``: only text that repeats
    one of them counts as a quote. Each finding carries the index of its message; an attempt spread over several
    messages has findings for the earlier ones too. Never raises: a failure becomes a finding ``engine.error``.
    """
    if not messages:
        return NOTHING
    company, last = company or engine.NO_COMPANY, len(messages) - 1
    first = max(0, last - REACH)
    try:
        verdict = Reader(messages[first:], company, semantic_stage=semantic_stage, said=said).verdict(last - first)
        if said is not None and verdict.tier is not Tier.ALERT:
            verdict = _unmasked(verdict, messages[last], company, last - first, said, semantic_stage=semantic_stage)
    except Exception:  # fail closed, as in engine.scan
        return replace(NOTHING, findings=(replace(engine.failure(messages[last].text), message=last),))
    return _moved(verdict, first)


def _unmasked(
    read: ThreadVerdict,
    message: ThreadMessage,
    company: Company,
    place: int,
    said: Sequence[str],
    *,
    semantic_stage: bool,
) -> ThreadVerdict:
    """Return the verdict on the false quotes in the message if it scores higher than ``read``, else ``read``.

    This way, an attempt can't be hidden in something that looks like a quote.
    """
    hidden = pretended(message.text, message.direction, said)
    if hidden is None:
        return read
    bare = _QUOTE_MARKS.sub(lambda match: " " * len(match.group()), hidden.text)
    alone = Reader([replace(message, text=bare)], company, semantic_stage=semantic_stage).verdict(0)
    if alone.score <= read.score:
        return read
    moved = []
    for finding in alone.findings:
        start, end = hidden.span(finding.start, finding.end)
        moved.append(replace(finding, start=start, end=end, message=place))
    at = None if alone.at is None else place
    return replace(alone, at=at, findings=tuple(dict.fromkeys((*moved, *read.findings))))


def read_others(text: str, *, company: Company | None = None, semantic_stage: bool = False) -> Scan:
    """Return the verdict on the customer's words that an employee's note quotes. Never raises.

    Offsets point into ``text``. A note without quoted words has no findings, since the rest is the employee's own.
    """
    company = company or engine.NO_COMPANY
    try:
        words = words_of_others(text, Direction.NOTE)
        if not words.text.strip():
            return Scan(False, None, Stance.NONE, 0.0, ())
        message = ThreadMessage(words.text, Direction.INBOUND)
        return engine.mapped(as_scan(read_message([message], company=company, semantic_stage=semantic_stage)), words)
    except Exception:  # as in engine.scan
        return Scan(False, None, Stance.NONE, 0.0, (engine.failure(text),))


def read_thread(
    messages: Sequence[ThreadMessage], *, company: Company | None = None, semantic_stage: bool = False
) -> ThreadVerdict:
    """Return the verdict on a whole conversation.

    It is the verdict on the first alert or, if there is none, on the noticed message with the highest score. Findings
    of other kinds (harassment, sensitive data) are collected from all messages. Never raises.
    """
    company = company or engine.NO_COMPANY
    try:
        reader = Reader(messages, company, semantic_stage=semantic_stage)
        return _whole([reader.verdict(place) for place in range(len(messages))])
    except Exception:
        failures = tuple(replace(engine.failure(message.text), message=place) for place, message in enumerate(messages))
        return replace(NOTHING, findings=failures)


def _whole(verdicts: Sequence[ThreadVerdict]) -> ThreadVerdict:
    alerts = [verdict for verdict in verdicts if verdict.tier is Tier.ALERT]
    noticed = [verdict for verdict in verdicts if verdict.tier is Tier.NOTICED]
    best = max((verdict.score for verdict in verdicts), default=0.0)
    chosen = alerts[0] if alerts else max(noticed, key=lambda verdict: verdict.score, default=NOTHING)
    others = [
        finding
        for verdict in verdicts
        for finding in verdict.findings
        if finding.kind not in ATTEMPT_KINDS and finding.kind is not Kind.REPEATED_CONTACT
    ]
    own = [finding for verdict in alerts or [chosen] for finding in verdict.findings if verdict.by is chosen.by]
    findings = dict.fromkeys((*own, *others))
    return replace(chosen, score=best, findings=tuple(findings))


def _moved(verdict: ThreadVerdict, by: int) -> ThreadVerdict:
    if not by:
        return verdict
    findings = tuple(replace(finding, message=(finding.message or 0) + by) for finding in verdict.findings)
    return replace(verdict, at=None if verdict.at is None else verdict.at + by, findings=findings)


def as_scan(verdict: ThreadVerdict) -> Scan:
    """Convert the verdict on a conversation of one message into a verdict on a text."""
    findings = tuple(replace(finding, message=None) for finding in verdict.findings)
    return Scan(verdict.attempt, verdict.by, verdict.stance, verdict.score, findings, verdict.tier)

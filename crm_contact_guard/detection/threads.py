"""Judges messages in the context of their conversation, with the quick scan, conversation evidence and the encoder.

Supervision calls ``read_message`` for each incoming message; ``read_thread`` does the same for each message of a whole
conversation, so both give the same verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from crm_contact_guard.detection import encoder, engine
from crm_contact_guard.detection.decision import NOTICED, Signals, decision, probability, thresholds
from crm_contact_guard.detection.encoder.base import BaseError
from crm_contact_guard.detection.encoder.classes import KINDS
from crm_contact_guard.detection.evidence import ATTEMPT_KINDS
from crm_contact_guard.detection.opinions import declined, harassing, stance_of_verdict
from crm_contact_guard.detection.segments import own_words, pretended, words_of_others
from crm_contact_guard.detection.talk import GAP, Heard, Talk, hear, look
from crm_contact_guard.detection.types import (
    By,
    Company,
    Direction,
    Finding,
    Kind,
    Scan,
    Stance,
    ThreadMessage,
    ThreadVerdict,
    Tier,
)

#: How many messages before the newest one are read.
REACH = 12
#: The detector ID for findings of the encoder alone, and the prefix of detector IDs for signals of the conversation.
SEMANTIC, THREAD = "semantic", "thread."
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


class Reader:
    """A conversation that is judged message by message. Each message is scanned once."""

    def __init__(
        self,
        messages: Sequence[ThreadMessage],
        company: Company,
        *,
        semantic_stage: bool,
        said: Sequence[str] | None = None,
    ) -> None:
        self._messages = messages
        self._company = company
        self._scans = list(engine.scan_many([(one.text, one.direction) for one in messages], company=company))
        self._own = [own_words(one.text, one.direction) for one in messages]
        if said is not None:
            newest = messages[-1]
            self._scans[-1] = engine.scan(newest.text, direction=newest.direction, company=company, said=said)
            self._own[-1] = own_words(newest.text, newest.direction, said)
        own = [
            one if words is None else replace(one, text=words.text)
            for one, words in zip(messages, self._own, strict=True)
        ]
        self._heard = hear(own, company)
        self._deep = semantic_stage and encoder.available()

    def signals(self, place: int) -> tuple[Signals, Talk, encoder.Opinion | None]:
        """Return the signals for one message, the conversation's evidence and the encoder's opinion."""
        message = self._messages[place]
        talk = Talk()
        if message.direction is not Direction.NOTE:  # a note is not part of the conversation
            talk = look(self._before(place) + [self._heard[place]], self._company)
        opinion = self._opinion(place)
        inbound = float(message.direction is Direction.INBOUND)
        return (
            Signals(
                _odds(self._scans[place].score),
                inbound,
                talk.joined,
                talk.assembled,
                talk.answers,
                talk.accepts,
                talk.presses,
                None if opinion is None else opinion.attempt,
                bool(self._before(place)),
            ),
            talk,
            opinion,
        )

    def verdict(self, place: int) -> ThreadVerdict:
        """Return the verdict on one message, given the messages before it."""
        signals, talk, opinion = self.signals(place)
        scan = self._scans[place]
        side = self._messages[place].direction
        score = probability(signals)
        tier = thresholds(side, self._company).tier(score)
        if scan.attempt and scan.score < thresholds(side, self._company).alert:
            tier = Tier.ALERT  # found by a company's own rule
        findings = [
            replace(finding, message=place)
            for finding in scan.findings
            if tier is not Tier.NONE or finding.kind not in ATTEMPT_KINDS or finding.detector == "engine.error"
        ]
        findings = harassing(findings, opinion, side, place)
        if tier is Tier.NONE:
            return ThreadVerdict(False, None, declined(scan), None, round(score, 4), tuple(findings))
        if opinion is not None:  # the encoder gives kind and span more precisely than the ranker
            findings = [finding for finding in findings if finding.detector != "ranker"]
        named = [*self._named(talk, place, score), *self._semantic(opinion, findings, place, score)]
        return ThreadVerdict(
            tier is Tier.ALERT,
            By.CUSTOMER if side is Direction.INBOUND else By.EMPLOYEE,
            stance_of_verdict(scan, talk, opinion),
            place,
            round(score, 4),
            tuple(dict.fromkeys((*findings, *named))),
            tier,
        )

    def _opinion(self, place: int) -> encoder.Opinion | None:
        if not self._deep:
            return None
        message, own = self._heard[place].message, self._own[place]
        before = self._before(place)
        try:
            opinion = encoder.opinion(message.text, message.direction, [heard.message for heard in before])
            if any(one.message.direction is message.direction and one.probability >= NOTICED for one in before):
                # The training conversations end with the first attempt, so later messages are also read on their own.
                alone = encoder.opinion(message.text, message.direction)
                opinion = max(opinion, alone, key=lambda one: one.attempt)
        except BaseError:
            self._deep = False
            return None
        if own is None:
            return opinion
        start, end = own.span(opinion.start, opinion.end)
        return replace(opinion, start=start, end=end)

    def _before(self, place: int) -> list[Heard]:
        """Return the earlier messages of the same conversation, without notes."""
        earlier_messages: list[Heard] = []
        minutes = self._messages[place].minutes_after_previous
        for earlier in range(place - 1, max(-1, place - 1 - REACH), -1):
            if minutes > GAP:
                break
            if self._messages[earlier].direction is not Direction.NOTE:
                earlier_messages.insert(0, self._heard[earlier])
            minutes += self._messages[earlier].minutes_after_previous
        return earlier_messages

    def _named(self, talk: Talk, place: int, score: float) -> Iterator[Finding]:
        """Yield the findings for evidence from several messages: one for each of the writer's messages involved."""
        if not talk.places:
            return
        numbers = {id(heard): number for number, heard in enumerate(self._heard)}
        before = [numbers[id(heard)] for heard in self._before(place)]
        for name, places in talk.places.items():
            kind = {"presses": Kind.REPEATED_CONTACT, "accepts": Kind.CONTACT_REQUEST}.get(
                name, Kind.CONTACT_IDENTIFIER
            )
            for number in [*(before[one] for one in places), place]:
                message = self._messages[number]
                if message.direction is self._messages[place].direction:
                    yield Finding(
                        kind, 0, len(message.text), round(score, 4), THREAD + name, decision().version, message=number
                    )

    def _semantic(
        self, opinion: encoder.Opinion | None, findings: Sequence[Finding], place: int, score: float
    ) -> Iterator[Finding]:
        """Yield the encoder's finding, unless another finding is already of a kind that counts as an attempt."""
        if opinion is None or any(finding.kind in ATTEMPT_KINDS for finding in findings):
            return
        kind = KINDS[opinion.likeliest[0]]
        yield Finding(kind, opinion.start, opinion.end, round(score, 4), SEMANTIC, encoder.version(), message=place)


def as_scan(verdict: ThreadVerdict) -> Scan:
    """Convert the verdict on a conversation of one message into a verdict on a text."""
    findings = tuple(replace(finding, message=None) for finding in verdict.findings)
    return Scan(verdict.attempt, verdict.by, verdict.stance, verdict.score, findings, verdict.tier)


def _odds(score: float) -> float:
    """Return the log odds of a rounded probability."""
    score = min(1 - 1e-4, max(1e-4, score))
    return math.log(score / (1 - score))

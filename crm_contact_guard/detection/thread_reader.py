"""Judges the messages of a conversation one by one, each in the context of those before it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from crm_contact_guard.detection import encoder, engine
from crm_contact_guard.detection.decision import NOTICED, Signals, decision, probability, thresholds
from crm_contact_guard.detection.encoder.base import BaseError
from crm_contact_guard.detection.encoder.classes import KINDS
from crm_contact_guard.detection.evidence import ATTEMPT_KINDS
from crm_contact_guard.detection.opinions import declined, harassing, stance_of_verdict
from crm_contact_guard.detection.segments import own_words
from crm_contact_guard.detection.talk import GAP, Heard, Talk, hear, look
from crm_contact_guard.detection.types import (
    By,
    Company,
    Direction,
    Finding,
    Kind,
    ThreadMessage,
    ThreadVerdict,
    Tier,
)

#: How many messages before the newest one are read.
REACH = 12
#: The detector ID for findings of the encoder alone, and the prefix of detector IDs for signals of the conversation.
SEMANTIC, THREAD = "semantic", "thread."


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


def _odds(score: float) -> float:
    """Return the log odds of a rounded probability."""
    score = min(1 - 1e-4, max(1e-4, score))
    return math.log(score / (1 - score))

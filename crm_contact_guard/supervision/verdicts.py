"""Turns the results of detection on a message into verdicts by topic, side and tier."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from crm_contact_guard import detection
from crm_contact_guard.channels.unread import UNREAD
from crm_contact_guard.detection.types import Finding, Kind, Scan, ThreadVerdict
from crm_contact_guard.policy.rulebook import HARASSMENT_ALERT
from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision import contents
from crm_contact_guard.supervision.alerts import TOPICS, NewFinding, Verdict, by_side
from crm_contact_guard.supervision.models import Tier, Topic

#: The detector name of a finding for text that made the engine fail.
UNREADABLE = "engine.error"
#: The detector name of a finding for a message that couldn't be read, in whole or in part, when it arrived.
MESSAGE_UNREAD = "message.unread"
#: Kinds that are stored and shown but never open an alert by themselves.
_QUIET = (Kind.PRIVATE_TOPIC,)


def of_talk(rows: Sequence[Message], verdict_of_talk: ThreadVerdict) -> list[Verdict]:
    """Return verdicts on the newest of ``rows``, by topic.

    Evidence of leaving the company's channels may be in earlier rows.
    """
    message = rows[-1]
    placed = [
        (message if finding.message is None else rows[finding.message], finding) for finding in verdict_of_talk.findings
    ]
    verdicts = []
    for topic in _topics(verdict_of_talk.findings):
        # Findings on other topics in earlier messages were reported when those messages arrived.
        selected = [(row, finding) for row, finding in placed if topic_of(finding) == topic]
        if topic != Topic.OFF_CHANNEL:
            selected = [(row, finding) for row, finding in selected if row.pk == message.pk]
        tier = _tier(topic, verdict_of_talk.tier, [finding for _, finding in selected])
        if not selected or tier is None:
            continue
        off_channel = topic == Topic.OFF_CHANNEL
        verdicts.append(
            Verdict(
                topic=topic,
                by=verdict_of_talk.by.value
                if verdict_of_talk.by is not None and off_channel
                else by_side(message.direction),
                stance=verdict_of_talk.stance.value,
                at=rows[verdict_of_talk.at] if verdict_of_talk.at is not None and off_channel else message,
                findings=[_new(row, finding) for row, finding in selected],
                tier=tier,
            )
        )
    return verdicts


def of_content(message: Message, content: contents.Content) -> list[Verdict]:
    """Return verdicts on a file of the message, which is judged without the conversation."""
    return of_scan(message, content.scan, by=by_side(message.direction), place=content.place)


def of_unread(message: Message) -> list[Verdict]:
    """Return a verdict on a message that couldn't be read, in whole or in part, so that a person looks at it."""
    if not json.loads(message.details or "{}").get(UNREAD):
        return []
    finding = Finding(Kind.CONTACT_REQUEST, 0, len(message.text or ""), 0.5, MESSAGE_UNREAD, "1")
    nothing = Scan(attempt=False, by=None, stance=detection.Stance.NONE, score=0.0, findings=(finding,))
    return of_scan(message, nothing, by=by_side(message.direction))


def of_scan(message: Message, scan: Scan, *, by: str, place: str = "") -> list[Verdict]:
    """Return verdicts on a scan of text from the message, by topic. ``by`` is the side whose words were scanned."""
    verdicts = []
    for topic in _topics(scan.findings):
        selected = [finding for finding in scan.findings if topic_of(finding) == topic]
        tier = _tier(topic, scan.tier, selected)
        if tier is None:
            continue
        verdicts.append(
            Verdict(
                topic=topic,
                by=by,
                stance=scan.stance.value,
                at=message,
                findings=[_new(message, finding, place) for finding in selected],
                tier=tier,
            )
        )
    return verdicts


def merged(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Merge the verdicts on a message and its files into one for each topic and side, with the higher tier."""
    by_key: dict[tuple[str, str], Verdict] = {}
    for verdict in verdicts:
        key = verdict.topic, verdict.by
        other = by_key.get(key)
        if other is None:
            by_key[key] = verdict
            continue
        surest = verdict if other.tier == Tier.NOTICED and verdict.tier == Tier.ALERT else other
        by_key[key] = replace(surest, findings=[*other.findings, *verdict.findings])
    return list(by_key.values())


def topic_of(finding: Finding) -> str:
    """Return the topic of the alert for a finding. Text that couldn't be judged is reported to people (fail closed)."""
    if finding.detector in (UNREADABLE, MESSAGE_UNREAD, contents.UNREAD):
        return Topic.SCAN_FAILURE
    return "" if finding.kind in _QUIET else TOPICS.get(finding.kind.value, "")


def highest(scan: Scan) -> Tier | None:
    """Return the highest tier of what a scan would raise; None if it would raise nothing."""
    tiers = {
        _tier(topic, scan.tier, [finding for finding in scan.findings if topic_of(finding) == topic])
        for topic in _topics(scan.findings)
    }
    return next((tier for tier in (Tier.ALERT, Tier.NOTICED) if tier in tiers), None)


def told_beforehand(scan: Scan) -> Scan:
    """Return the part of a scan that the writer sees before sending, without noticed findings of an attempt.

    A writer who could see how close a wording is to an alert would learn how to avoid one.
    """
    if scan.tier is not detection.Tier.NOTICED:
        return scan
    visible = tuple(finding for finding in scan.findings if topic_of(finding) != Topic.OFF_CHANNEL)
    return replace(scan, by=None, stance=detection.Stance.NONE, tier=detection.Tier.NONE, findings=visible)


def _topics(findings: Iterable[Finding]) -> list[str]:
    return [topic for topic in dict.fromkeys(topic_of(finding) for finding in findings) if topic]


def _tier(topic: str, detected: detection.Tier, findings: Sequence[Finding]) -> str | None:
    """Return the tier of the findings on one topic, or None if they are dropped."""
    if topic == Topic.OFF_CHANNEL:
        return {detection.Tier.ALERT: Tier.ALERT, detection.Tier.NOTICED: Tier.NOTICED}.get(detected)
    if topic == Topic.HARASSMENT:
        return Tier.ALERT if any(finding.score >= HARASSMENT_ALERT for finding in findings) else Tier.NOTICED
    return Tier.ALERT


def _new(message: Message, finding: Finding, place: str = "") -> NewFinding:
    return NewFinding(
        message=message,
        kind=finding.kind.value,
        start=finding.start,
        end=finding.end,
        score=finding.score,
        detector=finding.detector,
        version=finding.version,
        place=place,
    )

"""From what detection says of a message to what supervision does about it: by topic, by side, and in which tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from crm_contact_guard import detection
from crm_contact_guard.detection.types import Finding, Kind, Scan, ThreadVerdict
from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision import contents
from crm_contact_guard.supervision.alerts import TOPICS, NewFinding, Verdict, by_side
from crm_contact_guard.supervision.models import Tier, Topic

#: The detector of a finding that says: this text made the engine fail.
UNREADABLE = "engine.error"
#: A harassment finding below this score is noticed and warns nobody.
HARASSMENT_ALERT = 0.5
#: Kinds that are stored and shown but never open an alert by themselves.
_QUIET = (Kind.PRIVATE_TOPIC,)


def of_talk(rows: Sequence[Message], said: ThreadVerdict) -> list[Verdict]:
    """What is said of the newest of ``rows`` by topic. Of leaving the channel, evidence may stand in earlier ones."""
    message = rows[-1]
    placed = [(message if found.message is None else rows[found.message], found) for found in said.findings]
    verdicts = []
    for topic in _topics(said.findings):
        # What earlier messages hold of other topics was told when they came.
        kept = [(row, found) for row, found in placed if topic_of(found) == topic]
        if topic != Topic.OFF_CHANNEL:
            kept = [(row, found) for row, found in kept if row.pk == message.pk]
        tier = _tier(topic, said.tier, [found for _, found in kept])
        if not kept or tier is None:
            continue
        off_channel = topic == Topic.OFF_CHANNEL
        verdicts.append(
            Verdict(
                topic=topic,
                by=said.by.value if said.by is not None and off_channel else by_side(message.direction),
                stance=said.stance.value,
                at=rows[said.at] if said.at is not None and off_channel else message,
                findings=[_new(row, found) for row, found in kept],
                tier=tier,
            )
        )
    return verdicts


def of_content(message: Message, content: contents.Content) -> list[Verdict]:
    """The same of what a file of the message says. No talk explains a file: it speaks for itself."""
    return of_scan(message, content.scan, by=by_side(message.direction), place=content.place)


def of_scan(message: Message, scan: Scan, *, by: str, place: str = "") -> list[Verdict]:
    """What a scan of one text that belongs to the message says, by topic. ``by``: whose words they are."""
    verdicts = []
    for topic in _topics(scan.findings):
        kept = [found for found in scan.findings if topic_of(found) == topic]
        tier = _tier(topic, scan.tier, kept)
        if tier is None:
            continue
        verdicts.append(
            Verdict(
                topic=topic,
                by=by,
                stance=scan.stance.value,
                at=message,
                findings=[_new(message, found, place) for found in kept],
                tier=tier,
            )
        )
    return verdicts


def merged(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict a topic and side: what a message and its files say of the same thing is told once, at its surest."""
    known: dict[tuple[str, str], Verdict] = {}
    for verdict in verdicts:
        key = verdict.topic, verdict.by
        other = known.get(key)
        if other is None:
            known[key] = verdict
            continue
        surest = verdict if other.tier == Tier.NOTICED and verdict.tier == Tier.ALERT else other
        known[key] = replace(surest, findings=[*other.findings, *verdict.findings])
    return list(known.values())


def topic_of(finding: Finding) -> str:
    """What alert a finding belongs to; a text that could not be judged is for people to read (never fails open)."""
    if finding.detector in (UNREADABLE, contents.UNREAD):
        return Topic.SCAN_FAILURE
    return "" if finding.kind in _QUIET else TOPICS.get(finding.kind.value, "")


def told_beforehand(scan: Scan) -> Scan:
    """What the writer of a text is shown of it: an attempt, but nothing that is merely noticed.

    Whoever could see how far a wording is from a warning would learn how to stay below it.
    """
    if scan.tier is not detection.Tier.NOTICED:
        return scan
    kept = tuple(found for found in scan.findings if topic_of(found) != Topic.OFF_CHANNEL)
    return replace(scan, by=None, stance=detection.Stance.NONE, tier=detection.Tier.NONE, findings=kept)


def _topics(findings: Iterable[Finding]) -> list[str]:
    return [topic for topic in dict.fromkeys(topic_of(finding) for finding in findings) if topic]


def _tier(topic: str, said: detection.Tier, findings: Sequence[Finding]) -> str | None:
    """In which tier findings of one topic are kept; None: not at all."""
    if topic == Topic.OFF_CHANNEL:
        return {detection.Tier.ALERT: Tier.ALERT, detection.Tier.NOTICED: Tier.NOTICED}.get(said)
    if topic == Topic.HARASSMENT:
        return Tier.ALERT if any(found.score >= HARASSMENT_ALERT for found in findings) else Tier.NOTICED
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

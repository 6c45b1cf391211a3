"""Inspecting a recorded message: the text alone, its thread, and the clock; what is found becomes alerts.

Idempotent: a message inspected twice yields the same findings, which are stored once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from crm_contact_guard import __version__, database, detection
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Direction, Finding, Kind, Scan, ThreadMessage
from crm_contact_guard.ledger import quotes
from crm_contact_guard.ledger.models import Event, Message
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.company import company
from crm_contact_guard.signals import scanning
from crm_contact_guard.supervision import contents
from crm_contact_guard.supervision.alerts import TOPICS, NewFinding, Verdict, alert_raise, by_side
from crm_contact_guard.supervision.models import Alert, Inspection, Topic

#: How much of the talk before a message is read with it.
THREAD_MESSAGES = 30
THREAD_AGE = timedelta(days=7)
#: The detector of a finding that says: this text made the engine fail.
UNREADABLE = "engine.error"
#: Kinds that are stored and shown but never open an alert by themselves.
_QUIET = (Kind.PRIVATE_TOPIC,)


def inspect(message: Message, *, notify: bool = True) -> list[Alert]:
    """Inspect one message; returns the alerts that new findings went to. ``notify``: new alerts also queue mails."""
    text = message.text or ""
    direction = Direction(message.direction)
    # Outside the transaction: reading files takes its time, and so does loading a model at the first message.
    found = contents.of_message(message)
    said = quotes.words_before(message)
    with scanning("inspection"):
        scan = detection.scan(
            text, direction=direction, company=company(), semantic_stage=bool(settings.SEMANTIC), said=said
        )
    with database.atomic():
        in_files = [verdict for content in found for verdict in _content_verdicts(message, content)]
        verdicts = _merged(
            [*_text_verdicts(message, scan), *in_files, *_thread_verdicts(message), *_after_hours(message)]
        )
        raised = [
            alert_raise(conversation=message.conversation, verdict=verdict, notify=notify) for verdict in verdicts
        ]
        Inspection.objects.update_or_create(
            message=message,
            defaults={
                "stance": scan.stance.value,
                "score": scan.score,
                "version": __version__,
                "inspected_at": timezone.now(),
            },
        )
    return list({alert.pk: alert for alert in raised if alert is not None}.values())


def uninspected(*, since: datetime, limit: int = 200) -> list[UUID]:
    """Ids of messages recorded from ``since`` on that no worker has inspected yet, oldest first.

    Bounded in time, so that looking for what is left does not cost more the longer the record is.
    """
    rows = Message.objects.filter(inspection__isnull=True, source="live", recorded_at__gte=since)
    return list(rows.order_by("recorded_at").values_list("pk", flat=True)[:limit])


def _text_verdicts(message: Message, scan: Scan) -> list[Verdict]:
    """The message's own findings by topic; those of leaving the channel only when the message is an attempt."""
    return _by_topic(message, scan, attempt=_speaks_for_itself(scan))


def _content_verdicts(message: Message, content: contents.Content) -> list[Verdict]:
    """The same for what a file of the message says. No thread explains a file: it speaks for itself."""
    return _by_topic(message, content.scan, attempt=content.scan.attempt, place=content.place)


def _by_topic(message: Message, scan: Scan, *, attempt: bool, place: str = "") -> list[Verdict]:
    verdicts = []
    for topic in dict.fromkeys(_topic(finding) for finding in scan.findings):
        if not topic or (topic == Topic.OFF_CHANNEL and not attempt):
            continue
        verdicts.append(
            Verdict(
                topic=topic,
                by=scan.by.value if scan.by is not None and topic == Topic.OFF_CHANNEL else by_side(message.direction),
                stance=scan.stance.value,
                at=message,
                findings=[
                    NewFinding(
                        message=message,
                        kind=finding.kind.value,
                        start=finding.start,
                        end=finding.end,
                        score=finding.score,
                        detector=finding.detector,
                        version=finding.version,
                        place=place,
                    )
                    for finding in scan.findings
                    if _topic(finding) == topic
                ],
            )
        )
    return verdicts


def _speaks_for_itself(scan: Scan) -> bool:
    """Whether the text alone is an attempt. Within a talk it must be plain, else the reading of the thread decides."""
    return scan.attempt and detection.speaks_for_itself(scan, company=company())


def _merged(verdicts: list[Verdict]) -> list[Verdict]:
    """One verdict a topic and side: what the text and its thread say of the same thing is told once."""
    merged: dict[tuple[str, str], Verdict] = {}
    for verdict in verdicts:
        key = verdict.topic, verdict.by
        known = merged.get(key)
        merged[key] = verdict if known is None else replace(known, findings=[*known.findings, *verdict.findings])
    return list(merged.values())


def _topic(finding: Finding) -> str:
    """What alert a finding belongs to; a text that could not be judged is for people to read (never fails open)."""
    if finding.detector in (UNREADABLE, contents.UNREAD):
        return Topic.SCAN_FAILURE
    return "" if finding.kind in _QUIET else TOPICS.get(finding.kind.value, "")


def _thread(message: Message) -> list[Message]:
    earlier = Message.objects.filter(
        conversation_id=message.conversation_id,
        occurred_at__lte=message.occurred_at,
        occurred_at__gte=message.occurred_at - THREAD_AGE,
    ).exclude(direction=Direction.NOTE.value)
    rows = list(earlier.order_by("-occurred_at", "-id")[:THREAD_MESSAGES])
    return rows[::-1]


def _thread_verdicts(message: Message) -> list[Verdict]:
    """What the talk up to this message adds; evidence may stand in several messages."""
    if message.direction == Direction.NOTE.value:
        return []
    rows = _thread(message)
    if len(rows) < 2:
        return []
    verdict = detection.read_thread(_as_thread(rows), company=company())
    if not verdict.attempt or verdict.by is None or verdict.at is None:
        return []
    findings = [
        NewFinding(
            message=rows[finding.message],
            kind=finding.kind.value,
            start=finding.start,
            end=finding.end,
            score=finding.score,
            detector=finding.detector,
            version=finding.version,
        )
        for finding in verdict.findings
        if finding.message is not None and TOPICS.get(finding.kind.value) == Topic.OFF_CHANNEL
    ]
    return [
        Verdict(
            topic=Topic.OFF_CHANNEL,
            by=verdict.by.value,
            stance=verdict.stance.value,
            at=rows[verdict.at],
            findings=findings,
        )
    ]


def _as_thread(rows: list[Message]) -> list[ThreadMessage]:
    thread = []
    previous = rows[0].occurred_at
    for row in rows:
        pause = (row.occurred_at - previous).total_seconds() / 60
        thread.append(ThreadMessage(row.text or "", Direction(row.direction), pause))
        previous = row.occurred_at
    return thread


def _after_hours(message: Message) -> list[Verdict]:
    """The employee's own outbound message outside their hours, unless it was marked an emergency."""
    if message.direction != Direction.OUTBOUND.value or message.employee is None:
        return []
    if hours.is_working_time(message.employee, message.occurred_at) or is_emergency(message):
        return []
    finding = NewFinding(
        message=message,
        kind=Kind.AFTER_HOURS.value,
        start=0,
        end=0,
        score=1.0,
        detector="policy.hours",
        version="1",
    )
    return [Verdict(topic=Topic.AFTER_HOURS, by="employee", stance="none", at=message, findings=[finding])]


def is_emergency(message: Message) -> bool:
    """Whether the writer marked the message as an emergency when sending."""
    return Event.objects.filter(message=message, kind="override.emergency").exists()

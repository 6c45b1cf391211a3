"""Turns findings into alerts: one alert per conversation, topic, side and window, not one per message.

Only new findings count. Inspecting a message twice, or reading its thread again with the next message, adds nothing.
Earlier noticed findings join an alert as evidence.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import moments
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alert_notices import OWED, alert_tell
from crm_contact_guard.supervision.models import (
    Alert,
    Finding,
    FindingKind,
    Severity,
    Side,
    Stance,
    Tier,
    Topic,
)
from crm_contact_guard.supervision.pressing.rule import PRESSING
from crm_contact_guard.supervision.routing import addressee

TOPICS: dict[str, str] = {
    FindingKind.CONTACT_IDENTIFIER: Topic.OFF_CHANNEL,
    FindingKind.CONTACT_REQUEST: Topic.OFF_CHANNEL,
    FindingKind.PRIVATE_MEETING: Topic.OFF_CHANNEL,
    FindingKind.SIDE_DEAL: Topic.OFF_CHANNEL,
    FindingKind.REPEATED_CONTACT: Topic.OFF_CHANNEL,
    FindingKind.AFTER_HOURS: Topic.AFTER_HOURS,
    FindingKind.HARASSMENT: Topic.HARASSMENT,
    FindingKind.SENSITIVE_DATA: Topic.SENSITIVE_DATA,
}


@dataclass(frozen=True, kw_only=True)
class NewFinding:
    """A finding to be stored. Offsets are in code points of the message's text."""

    message: Message
    kind: str
    start: int
    end: int
    score: float
    detector: str
    version: str
    #: As in ``Finding.place``.
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of an inspection for one topic and side. ``at`` is the message that completes the evidence."""

    topic: str
    by: str
    stance: str
    at: Message
    findings: Sequence[NewFinding]
    tier: str = Tier.ALERT


def severity_of(verdict: Verdict) -> int:
    """Return how severe an alert for the verdict is.

    High for harassment, for a message that couldn't be inspected, and for an employee who gave or accepted a private
    contact. Low for a message outside working hours, unless it began a talk in the customer's quiet hours, and for a
    file that couldn't be read. Otherwise medium.
    """
    kinds = {finding.kind for finding in verdict.findings}
    if verdict.topic == Topic.SCAN_FAILURE and all(finding.place for finding in verdict.findings):
        return Severity.LOW  # only a file could not be read
    if verdict.topic in (Topic.HARASSMENT, Topic.SCAN_FAILURE):
        return Severity.HIGH
    if verdict.topic == Topic.AFTER_HOURS:
        disturbs = any(finding.detector == moments.Circumstance.QUIET for finding in verdict.findings)
        return Severity.MEDIUM if disturbs else Severity.LOW
    if verdict.by == Side.EMPLOYEE and (FindingKind.CONTACT_IDENTIFIER in kinds or verdict.stance == Stance.ACCEPT):
        return Severity.HIGH
    return Severity.MEDIUM


@database.atomic()
def alert_raise(
    *, conversation: Conversation, verdict: Verdict, notify: bool = True, notice_in: timedelta = timedelta(0)
) -> Alert | None:
    """Store the verdict's findings, and open an alert for them or add them to the one with an open window.

    Earlier noticed findings of the same topic and side join as well. Return the alert that received findings, or None.
    With ``notify``, the addressee of a new alert is told ``notice_in`` from now or later, as they chose; and told again
    if a later finding makes the alert serious.
    """
    # The conversation's row serves as the lock: two workers inspecting neighbouring messages must not open two alerts.
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    stored = store(verdict)
    fresh = [finding for finding, created in stored if created or finding.alert_id is None]
    made = {finding.pk for finding, created in stored if created}
    earlier = _noticed_before(verdict, fresh)
    now = timezone.now()
    alert = (
        Alert.objects.filter(
            conversation=conversation, topic=verdict.topic, by=verdict.by, window_ends_at__gt=verdict.at.occurred_at
        )
        .exclude(status=Alert.Status.CLOSED)
        .order_by("-opened_at")
        .first()
    )
    # Noticed findings never open an alert on their own, but join an existing one.
    if not fresh and (alert is None or not earlier):
        return None
    if alert is None:
        return _open(conversation, verdict, fresh, earlier, made, notify=notify, notice_in=notice_in)
    _join(alert, [*fresh, *earlier], made)
    severity = max(alert.severity, severity_of(verdict))
    strongest = _strongest(alert.findings.all())
    # A snooze ends as soon as it happens again.
    woken = alert.status == Alert.Status.SNOOZED
    awake = {"status": Alert.Status.OPEN, "snoozed_until": None} if woken else {}
    Alert.objects.filter(pk=alert.pk).update(severity=severity, kind=strongest.kind, updated_at=now, **awake)
    alert.refresh_from_db()
    _event(
        alert,
        "alert.extended",
        data={
            "findings": len(fresh),
            "at_message": str(verdict.at.pk),
            **_promoted(earlier),
            **({"woken": True} if woken else {}),
        },
    )
    if notify and alert.addressee is not None and alert.severity == Severity.HIGH:
        alert_tell(alert, alert.addressee)
    return alert


def store(verdict: Verdict) -> list[tuple[Finding, bool]]:
    """Store the verdict's findings. Return the row of each finding, and whether it is new."""
    return [
        Finding.objects.get_or_create(
            message=new.message,
            kind=new.kind,
            detector=new.detector,
            place=new.place,
            start=new.start,
            end=new.end,
            defaults={
                "score": new.score,
                "version": new.version,
                "stance": verdict.stance,
                "by": verdict.by,
                "created_at": timezone.now(),
            },
        )
        for new in verdict.findings
    ]


def _noticed_before(verdict: Verdict, fresh: Sequence[Finding]) -> list[Finding]:
    """Return noticed findings on the same topic and side from the conversation's messages in the preceding window."""
    at = verdict.at
    rows = Finding.objects.filter(
        alert__isnull=True,
        by=verdict.by,
        kind__in=[kind for kind, topic in TOPICS.items() if topic == verdict.topic],
        message__conversation_id=at.conversation_id,
        message__occurred_at__gt=at.occurred_at - settings.alert_window,
        message__occurred_at__lte=at.occurred_at,
    )
    return list(rows.exclude(pk__in=[finding.pk for finding in fresh]).order_by("message__occurred_at", "pk"))


def _join(alert: Alert, findings: Sequence[Finding], made: Container[UUID]) -> None:
    """Add findings to the alert. ``made`` holds the IDs of the findings that aren't in the record yet."""
    Finding.objects.filter(pk__in=[finding.pk for finding in findings]).update(alert=alert)
    for finding in findings:
        finding.alert = alert
        record_finding(finding, "finding.made" if finding.pk in made else "finding.joined")


def record_finding(finding: Finding, kind: str) -> None:
    """Record that a finding was made or joined an alert. The event contains offsets and kinds, never text."""
    record_event(
        kind=kind,
        subject_type="finding",
        subject_id=finding.pk,
        actor_type=Event.ActorType.SYSTEM,
        message=finding.message,
        row=finding,
    )


def _promoted(earlier: Sequence[Finding]) -> dict[str, object]:
    """Return the number of earlier noticed findings and the IDs of their messages, for an alert's event."""
    messages = dict.fromkeys(str(finding.message_id) for finding in earlier)
    return {"promoted": len(earlier), **({"promoted_from": list(messages)} if messages else {})}


def _open(
    conversation: Conversation,
    verdict: Verdict,
    fresh: Sequence[Finding],
    earlier: Sequence[Finding],
    made: Container[UUID],
    *,
    notify: bool,
    notice_in: timedelta,
) -> Alert:
    now = timezone.now()
    person = addressee(conversation)
    alert = Alert.objects.create(
        tenant=conversation.tenant,
        conversation=conversation,
        team=conversation.team,
        addressee=person,
        concerned=conversation.employee,
        topic=verdict.topic,
        kind=_strongest(fresh).kind,
        by=verdict.by,
        stance=verdict.stance,
        severity=severity_of(verdict),
        opened_at=now,
        updated_at=now,
        window_ends_at=verdict.at.occurred_at + settings.alert_window,
        at_message=verdict.at,
    )
    _join(alert, [*fresh, *earlier], made)
    _event(
        alert,
        "alert.opened",
        data={
            "topic": alert.topic,
            "kind": alert.kind,
            "by": alert.by,
            "stance": alert.stance,
            "severity": int(alert.severity),
            "at_message": str(verdict.at.pk),
            "addressee": str(person.pk) if person else None,
            **({OWED: True} if notify and person is None else {}),
            **_promoted(earlier),
        },
    )
    if notify and person is not None:
        alert_tell(alert, person, not_before=now + notice_in)
    return alert


def _strongest(findings: Iterable[Finding]) -> Finding:
    return max(findings, key=lambda f: (f.detector == PRESSING, f.score, f.kind == FindingKind.CONTACT_IDENTIFIER))


def _event(alert: Alert, kind: str, *, data: dict[str, object]) -> None:
    record_event(
        kind=kind,
        subject_type="alert",
        subject_id=alert.pk,
        actor_type=Event.ActorType.SYSTEM,
        conversation=alert.conversation,
        data=data,
        row=alert,
    )


def by_side(direction: str) -> str:
    """Return the side that wrote a message. Outbound messages and notes are the employee's."""
    return Side.CUSTOMER if direction == "inbound" else Side.EMPLOYEE

"""Turns findings into alerts: one alert per conversation, topic, side and window, not one per message.

Only new findings count. Inspecting a message twice, or reading its thread again with the next message, adds nothing.
Earlier noticed findings join an alert as evidence.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alert_notices import OWED, alert_opened_tell, alert_tell, alert_tell_again
from crm_contact_guard.supervision.handling import deadlines, stories
from crm_contact_guard.supervision.handling.evidence import join, promoted, store
from crm_contact_guard.supervision.handling.moving import locked
from crm_contact_guard.supervision.handling.severity import weigh
from crm_contact_guard.supervision.models import Alert, Finding, FindingKind, Severity, Side, Tier, Topic
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
    story = stories.story(stories.fingerprint(conversation, verdict.topic, verdict.by, verdict.at))
    alert = _current(conversation, verdict, story)
    # Noticed findings never open an alert on their own, but join an existing one.
    if not fresh and (alert is None or not earlier):
        return None
    if alert is None:
        with insert_once(lambda: _of_story(story)) as first:
            opened = _open(conversation, verdict, fresh, earlier, made, notify=notify, notice_in=notice_in)
        if first.earlier is None:
            return opened
        alert = first.earlier  # by another worker, for a message of the same story
    return _extend(alert, verdict, fresh, earlier, made, notify=notify, notice_in=notice_in)


def _current(conversation: Conversation, verdict: Verdict, story: str | None) -> Alert | None:
    """Return the alert that new evidence joins: of the same story, in an open window, or closed a short time ago."""
    if story is not None:
        return _of_story(story)
    rows = Alert.objects.filter(
        conversation=conversation, topic=verdict.topic, by=verdict.by, window_ends_at__gt=verdict.at.occurred_at
    )
    current = rows.exclude(status=Alert.Status.CLOSED).order_by("-opened_at").first()
    return current or stories.closed_before(conversation, verdict.topic, verdict.by)


def _of_story(story: str | None) -> Alert | None:
    """Return the story's alert, locked after its conversation, or None if there is none yet."""
    key = Alert.objects.filter(story=story).values_list("pk", flat=True).first() if story else None
    return locked(key) if key is not None else None


def _extend(
    alert: Alert,
    verdict: Verdict,
    fresh: Sequence[Finding],
    earlier: Sequence[Finding],
    made: Container[UUID],
    *,
    notify: bool,
    notice_in: timedelta,
) -> Alert:
    """Add findings to an alert. A snooze ends; a closed alert opens again, unless it was a false alarm."""
    join(alert, [*fresh, *earlier], made)
    counted = stories.counts(alert)
    severity, reasons = weigh(verdict, counted["times"])
    if severity < alert.severity:
        severity, reasons = alert.severity, alert.reasons or reasons
    changes: dict[str, Any] = {
        **counted,
        "severity": severity,
        "reasons": reasons,
        "kind": _strongest(alert.findings.all()).kind,
        "updated_at": timezone.now(),
    }
    woken = alert.status == Alert.Status.SNOOZED
    again = alert.status == Alert.Status.CLOSED and alert.resolution != Alert.Resolution.FALSE_POSITIVE
    if woken or again:
        changes |= {"status": Alert.Status.OPEN, "snoozed_until": None}
    if again:
        changes |= {"resolution": "", "comment": "", "closed_by": None, "closed_at": None}
        changes |= {"claimed_by": None, "claimed_at": None}
        changes |= {"window_ends_at": verdict.at.occurred_at + settings.alert_window}
    if woken or again or severity > alert.severity:
        changes |= _sooner(alert, severity, anew=woken or again)
    Alert.objects.filter(pk=alert.pk).update(**changes)
    alert.refresh_from_db()
    _event(
        alert,
        "alert.recurred" if again else "alert.extended",
        data={
            "findings": len(fresh),
            "at_message": str(verdict.at.pk),
            **promoted(earlier),
            **({"woken": True} if woken else {}),
        },
    )
    if notify and alert.addressee is not None:
        if again:
            alert_tell_again(alert, alert.addressee)
        if alert.severity == Severity.HIGH:
            alert_tell(alert, alert.addressee)
    return alert


def _sooner(alert: Alert, severity: int, *, anew: bool) -> dict[str, Any]:
    """Return the deadline of an alert that is to be done again, or has become more severe; the latter is no later."""
    if alert.status == Alert.Status.REVIEW:
        return {}
    due_at = deadlines.due_at(severity, alert.addressee, timezone.now())
    if not anew and (due_at is None or (alert.due_at is not None and alert.due_at <= due_at)):
        return {}
    return {"due_at": due_at, "next_step_at": due_at, "overdue_steps": 0}


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
    parts = stories.fingerprint(conversation, verdict.topic, verdict.by, verdict.at)
    severity, reasons = weigh(verdict, len({finding.message_id for finding in [*fresh, *earlier]}))
    person = addressee(conversation)
    due_at = deadlines.due_at(severity, person, now)
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
        severity=severity,
        reasons=reasons,
        fingerprint=parts,
        story=stories.story(parts),
        opened_at=now,
        updated_at=now,
        due_at=due_at,
        next_step_at=due_at,
        window_ends_at=verdict.at.occurred_at + settings.alert_window,
        at_message=verdict.at,
    )
    join(alert, [*fresh, *earlier], made)
    Alert.objects.filter(pk=alert.pk).update(**stories.counts(alert))
    alert.refresh_from_db()
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
            **promoted(earlier),
        },
    )
    if notify:
        alert_opened_tell(alert)
        if person is not None:
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

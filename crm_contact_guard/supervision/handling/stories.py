"""Which alerts are one story, and the credit of an employee who declined."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours
from crm_contact_guard.record.models import Conversation, Direction, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.handling import deadlines
from crm_contact_guard.supervision.models import Alert, Inspection, Side, Stance, Topic

#: The version of ``fingerprint``. A new version never regroups old alerts, since each keeps its own fingerprint.
VERSION: Final = "v1"
_REOPENED: Final = (Alert.Resolution.NO_ACTION, Alert.Resolution.COACHING, Alert.Resolution.CASE_OPENED)


def fingerprint(conversation: Conversation, topic: str, by: str, at: Message) -> list[str]:
    """Return what identifies the story: the conversation, topic and side.

    An employee's messages between two shifts are one story, whoever they were written to.
    """
    if topic == Topic.AFTER_HOURS and at.employee is not None:
        shift = _next_shift(at)
        if shift is not None:
            return [VERSION, topic, str(at.employee_id), str(conversation.team_id or ""), shift.isoformat()]
    return [VERSION, topic, by, str(conversation.pk)]


def story(parts: list[str]) -> str | None:
    """Return the key of a story of which there is at most one alert, or None if there may be several over time."""
    is_shift = parts[1] == Topic.AFTER_HOURS and len(parts) > 4
    return sha256("\n".join(parts).encode()).hexdigest() if is_shift else None


def closed_before(conversation: Conversation, topic: str, by: str) -> Alert | None:
    """Return the alert that new evidence opens again: the newest, if it was closed within ``ALERT_REOPEN_DAYS``.

    A false alarm isn't opened again: the new evidence gets an alert of its own.
    """
    since = timezone.now() - deadlines.reopen_within()
    rows = Alert.objects.filter(conversation=conversation, topic=topic, by=by).order_by("-opened_at")
    newest = rows.first()
    if newest is None or newest.status != Alert.Status.CLOSED or newest.closed_at is None:
        return None
    return newest if newest.closed_at > since and newest.resolution in _REOPENED else None


def counts(alert: Alert) -> dict[str, int]:
    """Return in how many messages the alert has evidence (``times``), and how often the employee declined after it."""
    messages = alert.findings.values_list("message_id", "message__occurred_at").distinct()
    found: dict[UUID, datetime] = dict(messages)
    declined = 0
    if found and (alert.topic, alert.by) == (Topic.OFF_CHANNEL, Side.CUSTOMER):
        declined = Inspection.objects.filter(
            stance=Stance.REFUSE,
            message__conversation=alert.conversation_id,
            message__direction=Direction.OUTBOUND,
            message__occurred_at__gt=min(found.values()),
        ).count()
    return {"times": len(found), "declined": declined}


def credit(message: Message, stance: str) -> None:
    """Note in the conversation's alerts that the employee declined. Call this once the inspection is stored.

    Repeating the call has no effect.
    """
    if message.direction != Direction.OUTBOUND or stance != Stance.REFUSE:
        return
    alerts = Alert.objects.filter(conversation=message.conversation_id, topic=Topic.OFF_CHANNEL, by=Side.CUSTOMER)
    for alert in alerts.exclude(status=Alert.Status.CLOSED):
        changes: dict[str, Any] = {name: n for name, n in counts(alert).items() if getattr(alert, name) != n}
        if not changes:
            continue
        Alert.objects.filter(pk=alert.pk).update(**changes, updated_at=timezone.now())
        alert.refresh_from_db()
        record_event(
            kind="alert.credited",
            subject_type="alert",
            subject_id=alert.pk,
            actor_type=Event.ActorType.SYSTEM,
            conversation=alert.conversation,
            message=message,
            row=alert,
        )


def _next_shift(at: Message) -> datetime | None:
    """Return when the writer's next shift after the message starts. None if it can't be told."""
    if at.employee is None:
        return None
    try:
        with hours.unknown_calendars_named():
            return hours.working_time_of(at.employee).next_open(at.occurred_at)
    except ConfigurationError:
        return None

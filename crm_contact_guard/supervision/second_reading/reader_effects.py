"""Applies the second reader's answer to alerts, in the transaction that records the answer."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from crm_contact_guard.detection.types import Tier
from crm_contact_guard.notices import outbox
from crm_contact_guard.reading import prompt
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alerts import TOPICS, NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert, Finding, FindingKind, Stance, Topic

#: The detector name of findings made by the reader itself.
DETECTOR = "second_reader"


def carry_out(row: ReaderAnswer, first: Tier, tier: Tier, named: Message) -> tuple[Tier, Alert | None]:
    """Promote or demote as decided. Return the resulting tier, and the alert that the answer is about."""
    if first is Tier.NOTICED and tier is Tier.ALERT:
        return tier, _promote(row, named)
    if first is Tier.ALERT and tier is Tier.NOTICED and (row.alert is None or not _demote(row, row.alert)):
        return first, row.alert
    return tier, row.alert


def _promote(row: ReaderAnswer, named: Message) -> Alert | None:
    """Open an alert for noticed findings, or add them to an alert opened in the meantime."""
    waiting = Finding.objects.filter(
        message__conversation=row.message.conversation_id,
        message__occurred_at__lte=row.message.occurred_at,
        message__in=(row.message_id, named.pk),
        alert__isnull=True,
        by=row.by,
    ).select_related("message")
    noticed = [finding for finding in waiting if TOPICS.get(finding.kind) == Topic.OFF_CHANNEL]
    own = NewFinding(
        message=named,
        kind=FindingKind.CONTACT_REQUEST,
        start=0,
        end=len(named.text or ""),
        score=row.score,
        detector=DETECTOR,
        version=prompt.VERSION,
    )
    noticed_findings = [
        NewFinding(
            message=finding.message,
            kind=finding.kind,
            start=finding.start,
            end=finding.end,
            score=finding.score,
            detector=finding.detector,
            version=finding.version,
            place=finding.place,
        )
        for finding in noticed
    ]
    stance = next((finding.stance for finding in noticed if finding.stance != Stance.NONE), Stance.ASK)
    verdict = Verdict(
        topic=Topic.OFF_CHANNEL, by=row.by, stance=stance, at=row.message, findings=[*noticed_findings, own]
    )
    return alert_raise(conversation=row.message.conversation, verdict=verdict)


def _demote(row: ReaderAnswer, shown: Alert) -> bool:
    """Close the alert as noticed and cancel its notices. Return False if this is no longer possible.

    It is no longer possible if a person has claimed or closed the alert, if somebody has been told, if the alert
    has changed since the question was asked, or if another reading of it is pending or found an attempt.
    """
    alert = Alert.objects.select_for_update().get(pk=shown.pk)
    if alert.status != Alert.Status.OPEN or alert.updated_at > row.created_at:
        return False
    others = alert.readings.exclude(pk=row.pk)
    if others.filter(Q(attempt=True) | Q(state__in=(ReaderAnswer.State.WAITING, ReaderAnswer.State.ASKING))).exists():
        return False
    if not outbox.cancel("alert", alert.pk):
        return False
    now = timezone.now()
    Alert.objects.filter(pk=alert.pk).update(
        status=Alert.Status.CLOSED, resolution=Alert.Resolution.NOTICED, closed_at=now, updated_at=now
    )
    alert.refresh_from_db()
    record_event(
        kind="alert.closed",
        subject_type="alert",
        subject_id=alert.pk,
        actor_type=Event.ActorType.SYSTEM,
        conversation=alert.conversation,
        data={"resolution": Alert.Resolution.NOTICED.value, "reading": str(row.pk)},
        row=alert,
    )
    return True

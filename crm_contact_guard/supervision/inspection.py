"""Inspects a recorded message: its text in the context of the conversation, its files, and the time it was sent.

An inspection raises alerts or stores noticed findings. It is idempotent: inspecting a message twice yields the same
findings, which are stored once.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from crm_contact_guard import __version__, detection
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations import quotes
from crm_contact_guard.delivery.waits import went_at
from crm_contact_guard.detection.types import By, Company, Direction, Kind
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import hours, moments
from crm_contact_guard.policy.versions.current import company_now, in_force
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.reached import reached
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.signals import scanning
from crm_contact_guard.supervision import contents, verdicts
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.handling.stories import credit
from crm_contact_guard.supervision.models import Alert, Finding, Inspection, Tier, Topic
from crm_contact_guard.supervision.noticing import notice
from crm_contact_guard.supervision.pressing.by_itself import help_offer
from crm_contact_guard.supervision.pressing.repeated import pressing
from crm_contact_guard.supervision.quality.silencing import verdict_with
from crm_contact_guard.supervision.second_reading import second_reader
from crm_contact_guard.supervision.talks import as_thread, talk_up_to


def inspect(message: Message, *, notify: bool = True) -> list[Alert]:
    """Inspect one message. Return the alerts that received findings.

    With ``notify``, new alerts queue emails, and questions to the second reader are queued as well.
    """
    # Outside the transaction: reading files takes time, and so does loading the model for the first message.
    scanned_files = contents.of_message(message)
    rows = talk_up_to(message)
    recorded = quotes.words_before(message)
    with scanning("inspection"):
        verdict_of_talk = detection.read_message(
            as_thread(rows), company=company_now(), semantic_stage=settings.semantic, said=recorded
        )
    words_reported = reported(message, company_now())
    raised = []
    with database.atomic():
        in_files = [verdict for content in scanned_files for verdict in verdicts.of_content(message, content)]
        found_here = verdicts.merged(
            [
                *verdicts.of_talk(rows, verdict_of_talk),
                *words_reported,
                *verdicts.of_unread(message),
                *in_files,
                *_after_hours(message),
            ]
        )
        found_here = verdicts.merged([*found_here, *pressing(message, found_here)])
        rules = in_force(message.tenant).rules
        found_here = [verdict_with(rules, verdict) for verdict in found_here]
        for verdict in found_here:
            if verdict.tier == Tier.NOTICED:
                notice(conversation=message.conversation, verdict=verdict)
                continue
            delay = second_reader.notice_delay(verdict)
            raised.append(
                alert_raise(conversation=message.conversation, verdict=verdict, notify=notify, notice_in=delay)
            )
        if notify:
            help_offer(message, found_here)
            alerts = [alert for alert in raised if alert is not None]
            second_reader.consider(message, alerts=alerts, noticed=second_reader.concerns(found_here))
        mark, _is_new = Inspection.objects.update_or_create(
            message=message,
            defaults={
                "stance": verdict_of_talk.stance.value,
                "score": verdict_of_talk.score,
                "version": __version__,
                "inspected_at": timezone.now(),
            },
        )
        record_event(
            kind="message.inspected",
            subject_type="message",
            subject_id=message.pk,
            actor_type=Event.ActorType.SYSTEM,
            message=message,
            row=mark,
        )
        credit(message, mark.stance)
    return list({alert.pk: alert for alert in raised if alert is not None}.values())


def uninspected(*, since: datetime, limit: int = 200) -> list[UUID]:
    """Return the IDs of live messages recorded since ``since`` that haven't been inspected, oldest first.

    Messages that wait are inspected when they go out. The time limit keeps the cost independent of the size of the
    record.
    """
    rows = reached(Message.objects.filter(inspection__isnull=True, source="live", recorded_at__gte=since))
    return list(rows.order_by("recorded_at").values_list("pk", flat=True)[:limit])


def reported(message: Message, company: Company) -> list[Verdict]:
    """Return verdicts on a customer's words quoted in a note."""
    if message.direction != Direction.NOTE.value:
        return []
    scan = detection.read_others(message.text or "", company=company, semantic_stage=settings.semantic)
    return verdicts.of_scan(message, scan, by=By.CUSTOMER.value)


def _after_hours(message: Message) -> list[Verdict]:
    """Return a verdict on an employee's message sent outside working hours, unless it was marked as an emergency.

    An answer to the customer counts as well, but the detector's name tells it apart.
    """
    if message.direction != Direction.OUTBOUND.value or message.employee is None:
        return []
    if hours.is_working_time(message.employee, went_at(message)) or is_emergency(message):
        return []
    # A second inspection must not store a second finding if the answer changed, for example by a late message.
    known = Finding.objects.filter(message=message, kind=Kind.AFTER_HOURS.value).values_list("detector", flat=True)
    finding = NewFinding(
        message=message,
        kind=Kind.AFTER_HOURS.value,
        start=0,
        end=0,
        score=1.0,
        detector=known.first() or moments.circumstance_of(message, message.employee).value,
        version="2",
    )
    return [Verdict(topic=Topic.AFTER_HOURS, by="employee", stance="none", at=message, findings=[finding])]


def is_emergency(message: Message) -> bool:
    """Whether the writer marked the message as an emergency on sending."""
    return Event.objects.filter(message=message, kind="override.emergency").exists()

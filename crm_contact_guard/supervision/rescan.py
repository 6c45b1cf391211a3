"""Inspects past messages again with the current packs and rules.

Old findings are kept. A new finding opens an alert, joins an alert whose window covers it, or is only noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_contact_guard import __version__, crm
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import AUTO, Event, Message
from crm_contact_guard.record.reached import reached
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert, Finding

#: Number of messages read from the database at a time.
BATCH = 200


@dataclass
class Rescanned:
    """The result of a rescan: messages read, new findings by kind, and the alerts that received findings.

    ``noticed`` is the number of new findings without an alert.
    """

    messages: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    noticed: int = 0
    alerts: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message with new findings. ``kinds`` are the findings' kinds; the text is never included."""

    message: UUID
    occurred_at: datetime
    kinds: tuple[str, ...]


def messages_to_rescan(
    *, since: datetime | None = None, until: datetime | None = None, conversation: UUID | None = None
) -> QuerySet[Message]:
    """Return the recorded messages of a period, including those imported from the host.

    Erased messages, automatic answers, and messages that never went out are left out.
    """
    condition = Q(text__isnull=False) & ~Q(source=AUTO)
    if since is not None:
        condition &= Q(occurred_at__gte=since)
    if until is not None:
        condition &= Q(occurred_at__lt=until)
    if conversation is not None:
        condition &= Q(conversation_id=conversation)
    return (
        reached(Message.objects.filter(condition))
        .select_related("conversation", "employee")
        .order_by("occurred_at", "id")
    )


def rescan(rows: QuerySet[Message], *, dry_run: bool, notify: bool, total: Rescanned) -> Iterator[Seen]:
    """Inspect each message again. Yield the messages with new findings, and add the counts to ``total``.

    With ``dry_run``, nothing is changed or recorded. Otherwise, the run is recorded as an event. Each message has its
    own transaction, so that an aborted run can be repeated.
    """
    for message in rows.iterator(chunk_size=BATCH):
        with crm.tenant(message.tenant), database.atomic():
            started = timezone.now()
            alerts = inspection.inspect(message, notify=notify)
            findings = Finding.objects.filter(message__conversation_id=message.conversation_id, created_at__gte=started)
            new_findings = list(findings.order_by("kind").values_list("kind", "alert"))
            kinds = tuple(kind for kind, _ in new_findings)
            total.messages += 1
            total.noticed += sum(alert is None for _, alert in new_findings)
            total.findings.update(kinds)
            total.alerts.update(alert.pk for alert in alerts)
            if dry_run:
                database.connection().set_rollback(True)
        if kinds:
            yield Seen(message=message.pk, occurred_at=message.occurred_at, kinds=kinds)
    if not dry_run:
        record_event(
            kind="detection.rescanned",
            subject_type="detection",
            subject_id=__version__,
            actor_type=Event.ActorType.SYSTEM,
            data={
                "messages": total.messages,
                "findings": dict(total.findings),
                "noticed": total.noticed,
                "alerts": len(total.alerts),
            },
        )


def opened(total: Rescanned) -> int:
    """Return how many of the alerts that received findings are still open."""
    return Alert.objects.filter(pk__in=total.alerts).exclude(status=Alert.Status.CLOSED).count()

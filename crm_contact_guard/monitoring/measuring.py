"""Measures for operators, read from this app's tables. Some measures have a limit.

Every query uses an index or a small table, so that a scrape stays cheap on a large record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.files.models import Media
from crm_contact_guard.hosting import database
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record import trigger_state
from crm_contact_guard.record.models import Direction, Event, Message, Pending
from crm_contact_guard.sealing.models import TreeHead, Witnessing
from crm_contact_guard.supervision.inspection import uninspected
from crm_contact_guard.supervision.models import Alert, Severity
from crm_contact_guard.supervision.noticing import NOTICED

#: Backlogs are counted up to this number.
COUNTED = 10_000
#: How far back uninspected messages are searched, as in the sweeper.
_BACK = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure. ``limit``: the highest acceptable value. ``fix``: what to do if the limit is exceeded."""

    name: str
    says: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)
    counter: bool = False
    limit: float | None = None
    fix: str = ""

    @property
    def is_fine(self) -> bool:
        return self.limit is None or self.value <= self.limit


def measures() -> Iterator[Measure]:
    """Yield all measures with their current values."""
    now = timezone.now()
    parts: tuple[Callable[[datetime], Iterator[Measure]], ...] = (_record, _outbox, _inspection, _alerts, _noticed)
    for part in (*parts, _carriers, _witnesses):
        yield from part(now)


def is_ready() -> bool:
    """Whether messages can be recorded: this app's tables can be read and all triggers are intact."""
    Pending.objects.exists()
    return not trigger_state.altered(database.connection())


def _age(now: datetime, since: datetime | None) -> float:
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0


def _record(now: datetime) -> Iterator[Measure]:
    head = TreeHead.objects.first()
    pending = Pending.objects.order_by("id")[:COUNTED].count()
    yield Measure(
        name="recorded_rows",
        says="Messages and events in the record, sealed or pending",
        value=(head.size if head else 0) + pending,
        counter=True,
    )
    recent = Message.objects.filter(recorded_at__gte=now - timedelta(hours=1))
    counts = dict(recent.order_by().values_list("direction").annotate(Count("pk")))
    for direction in Direction.values:
        yield Measure(
            name="messages_last_hour",
            says="Messages recorded within the last hour",
            value=counts.get(direction, 0),
            labels={"direction": direction},
        )
    yield Measure(name="seal_pending_rows", says="Recorded rows that are not sealed yet", value=pending)
    yield Measure(
        name="seal_lag_seconds",
        says="Age of the oldest recorded row that is not sealed yet",
        value=_age(now, _oldest_pending()),
        limit=60,
        fix="start worker and beat, or run contact_guard_tick each minute; check the signing key",
    )
    yield Measure(
        name="triggers_altered",
        says="Triggers protecting recorded rows that are missing or altered",
        value=len(trigger_state.altered(database.connection())),
        limit=0,
        fix="run manage.py migrate, then contact_guard_verify; find out who changed them",
    )


def _oldest_pending() -> datetime | None:
    first = Pending.objects.order_by("id").first()
    if first is None:
        return None
    model = Message if first.row_kind == "message" else Event
    return model._base_manager.filter(pk=first.row_id).values_list("recorded_at", flat=True).first()


def _outbox(now: datetime) -> Iterator[Measure]:
    waiting = Delivery.objects.filter(
        state__in=[Delivery.State.QUEUED, Delivery.State.SENDING], due_at__lte=now
    ).aggregate(count=Count("pk"), oldest=Min("due_at"))
    yield Measure(name="outbox_waiting", says="Messages that are due for delivery", value=waiting["count"])
    yield Measure(
        name="outbox_oldest_seconds",
        says="How long the oldest of them has been due",
        value=_age(now, waiting["oldest"]),
        limit=300,
        fix="start the worker; check contact_guard_carrier_failing_seconds",
    )
    yield Measure(name="media_waiting", says="Files still to be fetched from a carrier", value=Media.objects.count())
    notices = Notice.objects.filter(state__in=[Notice.State.QUEUED, Notice.State.SENDING], due_at__lte=now)
    yield Measure(
        name="notice_oldest_seconds",
        says="How long the oldest notice has been due",
        value=_age(now, notices.aggregate(oldest=Min("due_at"))["oldest"]),
        limit=600,
        fix="start the worker; check the host's e-mail settings",
    )

    yield Measure(
        name="notices_failed",
        says="Notices whose attempts have all failed; check people's addresses and the targets in NOTIFY",
        value=Notice.objects.filter(state=Notice.State.FAILED).count(),
    )


def _inspection(now: datetime) -> Iterator[Measure]:
    waiting = uninspected(since=now - _BACK, limit=COUNTED)
    oldest = Message.objects.filter(pk__in=waiting[:1]).values_list("recorded_at", flat=True).first()
    yield Measure(name="inspection_waiting", says="Recorded messages that are not inspected yet", value=len(waiting))
    yield Measure(
        name="inspection_oldest_seconds",
        says="Age of the oldest of them",
        value=_age(now, oldest),
        limit=300,
        fix="start the worker, or more of them",
    )


def _alerts(_now: datetime) -> Iterator[Measure]:
    rows = Alert.objects.exclude(status=Alert.Status.CLOSED).order_by().values_list("severity").annotate(Count("pk"))
    counts = dict(rows)
    for severity in Severity:
        yield Measure(
            name="alerts_open",
            says="Alerts that are not closed",
            value=counts.get(severity.value, 0),
            labels={"severity": severity.name.lower()},
        )


def _noticed(now: datetime) -> Iterator[Measure]:
    recent = Event.objects.filter(kind=NOTICED, recorded_at__gte=now - timedelta(hours=1))
    yield Measure(
        name="noticed_last_hour",
        says="Messages of the last hour with a finding that raised no alert",
        value=recent[:COUNTED].count(),
    )


def _carriers(now: datetime) -> Iterator[Measure]:
    failing = dict(Carrier.objects.values_list("channel", "failing_since"))
    for alias in settings.CHANNELS:
        yield Measure(
            name="carrier_failing_seconds",
            says="How long a channel's carrier has been failing",
            value=_age(now, failing.get(alias)),
            labels={"channel": alias},
            limit=900,
            fix="contact the carrier; messages are kept in the outbox",
        )


def _witnesses(_now: datetime) -> Iterator[Measure]:
    for row in Witnessing.objects.order_by("alias"):
        labels = {"witness": row.alias}
        if row.kept_at is not None:
            yield Measure(
                name="witness_kept_timestamp_seconds",
                says="When a witness last stored a checkpoint, in Unix seconds",
                value=row.kept_at.timestamp(),
                labels=labels,
            )
        yield Measure(
            name="witness_failing",
            says="Whether a witness failed at the last attempt",
            value=int(bool(row.error)),
            labels=labels,
            limit=0,
            fix="see the log of crm_contact_guard.sealing.witnessing; a contradiction is an incident",
        )

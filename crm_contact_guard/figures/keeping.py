"""Keeps the figures in step with the record: counts again the days on which something changed since the last time.

Each day is replaced as a whole, so counting twice does no harm, and a process that dies leaves whole days. The mark
moves only when all days are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Max, Min
from django.utils import timezone

from crm_contact_guard.figures.counting import ANSWERS_FOR, Key, answers, counted, local, talked
from crm_contact_guard.figures.models import Figure, FigureMark
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.record.models import Conversation, Direction, Event, Message
from crm_contact_guard.supervision.models import Alert

#: Transactions that were open when the record was last counted may have committed rows of this time before.
OVERLAP: Final = timedelta(minutes=10)
#: Days that are counted with one reading of the record when all are rebuilt.
_AT_ONCE: Final = timedelta(days=28)
_DAY: Final = timedelta(days=1)


def update_all(now: datetime | None = None) -> int:
    """Bring every tenant's figures up to date. Return the number of days that were counted."""
    tenants = Conversation.objects.order_by().values_list("tenant", flat=True).distinct()
    return sum(update(tenant, now) for tenant in list(tenants))


def update(tenant: str, now: datetime | None = None) -> int:
    """Count the days again on which something changed. Return their number."""
    now = now or timezone.now()
    mark = _mark(tenant)
    if mark.counted_to is None:
        return rebuild(tenant, now)
    days = changed(tenant, mark.counted_to - OVERLAP)
    for day in sorted(days):
        _replace(tenant, day, day + _DAY)
    FigureMark.objects.filter(tenant=tenant).update(counted_to=now)
    return len(days)


def rebuild(tenant: str, now: datetime | None = None) -> int:
    """Count all days of the record anew. Return their number."""
    now = now or timezone.now()
    _mark(tenant)
    known = Figure.objects.filter(tenant=tenant).aggregate(first=Min("day"), last=Max("day"))
    said = Message.objects.filter(tenant=tenant).aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
    ends = [local(at).date() for at in (*said.values(), now) if at is not None]
    ends += [day for day in known.values() if day is not None]
    first, until = min(ends), max(ends) + _DAY
    day = first
    while day < until:
        following = min(day + _AT_ONCE, until)
        _replace(tenant, day, following)
        day = following
    FigureMark.objects.filter(tenant=tenant).update(counted_to=now)
    return (until - first).days


def differences(tenant: str) -> Iterator[tuple[Key, int, int]]:
    """Yield each figure that differs from its definition: its key, the number kept, and the number counted."""
    rows = Figure.objects.filter(tenant=tenant)
    kept = {Key(row.day, row.team, row.measure, row.part): row.number for row in rows.iterator(chunk_size=2000)}
    said = Message.objects.filter(tenant=tenant).aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
    ends = [local(at).date() for at in (*said.values(), timezone.now()) if at is not None]
    found = counted(tenant, min(ends), max(ends) + _DAY)
    for key in sorted({*kept, *found}):
        if kept.get(key, 0) != found[key]:
            yield key, kept.get(key, 0), found[key]


def changed(tenant: str, since: datetime) -> set[date]:
    """Return the days whose figures may have changed by what was recorded since a time."""
    touched: dict[UUID, list[datetime]] = {}
    for talk, at in _messages(tenant, since):
        touched.setdefault(talk, []).append(at)
    found: set[date] = set()
    for talk, times in touched.items():
        found.update(local(at).date() for at in (*times, *_around(tenant, talk, min(times), max(times))))
    moved = Event.objects.filter(tenant=tenant, recorded_at__gte=since, kind__startswith="conversation.")
    for talk in set(moved.values_list("conversation_id", flat=True)):
        at_all = Message.objects.filter(conversation=talk).values_list("occurred_at", flat=True)
        found.update(local(at).date() for at in at_all)
    return found | _days_of_alerts(tenant, since)


def _messages(tenant: str, since: datetime) -> Iterator[tuple[UUID, datetime]]:
    """Yield the conversation and time of messages that were recorded, or that an event was recorded about."""
    fresh = Message.objects.filter(tenant=tenant, recorded_at__gte=since)
    yield from fresh.values_list("conversation_id", "occurred_at")
    events = Event.objects.filter(tenant=tenant, recorded_at__gte=since, message__isnull=False)
    yield from events.values_list("message__conversation_id", "message__occurred_at")


def _around(tenant: str, talk: UUID, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the times of other messages whose figures may depend on those from ``first`` to ``last``."""
    rows = Message.objects.filter(tenant=tenant, conversation=talk)
    asked = rows.filter(direction=Direction.INBOUND)
    before = answers(talked(tenant)).filter(conversation=talk, occurred_at__lt=first).order_by("-occurred_at").first()
    since = asked.filter(occurred_at__lte=first)
    if before is not None:
        since = since.filter(occurred_at__gte=before.occurred_at)
    yield from since.values_list("occurred_at", flat=True)
    yield from asked.filter(occurred_at__gte=last).order_by("occurred_at").values_list("occurred_at", flat=True)[:2]
    yield from (last, last + ANSWERS_FOR)


def _days_of_alerts(tenant: str, since: datetime) -> set[date]:
    events = Event.objects.filter(tenant=tenant, recorded_at__gte=since, kind__startswith="alert.")
    keys = {UUID(key) for key in events.values_list("subject_id", flat=True)}
    times: list[datetime | None] = []
    for row in Alert.objects.filter(pk__in=keys).values_list("opened_at", "closed_at"):
        times += row
    closed = Event.objects.filter(kind="alert.closed", subject_type="alert", subject_id__in=[str(key) for key in keys])
    for at in closed.values_list("recorded_at", flat=True):
        times += (at, at - timedelta(minutes=1))  # the row's time was taken just before
    return {local(at).date() for at in times if at is not None}


@database.atomic()
def _replace(tenant: str, first: date, until: date) -> None:
    """Replace the figures of some days by what is counted now. Others who count wait."""
    FigureMark.objects.select_for_update().get(tenant=tenant)
    found = counted(tenant, first, until)
    Figure.objects.filter(tenant=tenant, day__gte=first, day__lt=until).delete()
    rows: Iterable[Figure] = (Figure(tenant=tenant, number=number, **key._asdict()) for key, number in found.items())
    Figure.objects.bulk_create(rows, batch_size=500)


def _mark(tenant: str) -> FigureMark:
    mark = FigureMark.objects.filter(tenant=tenant).first()
    if mark is not None:
        return mark
    with insert_once(lambda: FigureMark.objects.filter(tenant=tenant).first()) as insertion:
        mark = FigureMark.objects.create(tenant=tenant)
    return insertion.earlier or FigureMark.objects.get(tenant=tenant)

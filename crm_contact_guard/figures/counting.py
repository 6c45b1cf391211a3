"""The definition of every figure: what is counted from the record, by day, team, measure and part.

Days and hours are those of the company's time zone. Messages are live ones that went out or came in, without notes and
automatic answers. A message whose time is more than a day after it was recorded isn't counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from crm_contact_guard.policy.hours import zone_named
from crm_contact_guard.record.models import AUTO, Direction, Message
from crm_contact_guard.record.reached import reached
from crm_contact_guard.supervision.models import Alert, Finding, FindingKind, Inspection, Side, Stance

#: Upper ends of the parts of durations, in seconds, and the names of the parts.
DURATIONS: Final = ((300, "5m"), (900, "15m"), (3600, "1h"), (14400, "4h"), (86400, "1d"))
LONGER: Final = "longer"
#: The part of questions without an answer.
UNANSWERED: Final = "none"
#: How long before a message after hours the customer may have written for it to be an answer.
ANSWERS_FOR: Final = timedelta(hours=12)
#: See the module's docstring.
AHEAD: Final = timedelta(days=1)
#: What is counted, and its parts:
MEASURES: Final = {
    "alert": "alerts opened, by kind",
    "channel": "alerts opened, by channel",
    "handled": "alerts closed by people, by how long they were open",
    "message": "messages, by direction",
    "answer": "customers' first messages that wait for an answer, by how long they waited for an employee's",
    "after_hours": "employees' messages after hours, by weekday (0 is Monday) and hour",
    "after_first": "employees' messages after hours, by who had written first",
    "credit": "employees' messages that decline or report an attempt, by which",
}


class Key(NamedTuple):
    day: date
    team: str
    measure: str
    part: str


def counted(tenant: str, first: date, until: date) -> Counter[Key]:
    """Return the figures of the days from ``first`` to before ``until``. Counts of nothing are left out."""
    start, end = midnight(first), midnight(until)
    found: Counter[Key] = Counter()
    for measure, at, team, part in _all(tenant, start, end):
        found[Key(local(at).date(), "" if team is None else str(team), measure, part)] += 1
    return found


def midnight(day: date) -> datetime:
    """Return the day's beginning in the company's time zone."""
    return datetime.combine(day, time(), tzinfo=zone_named(""))


def local(at: datetime) -> datetime:
    """Return a time in the company's time zone."""
    return at.astimezone(zone_named(""))


def talked(tenant: str) -> QuerySet[Message]:
    """Return the messages that count."""
    rows = reached(Message.objects.filter(tenant=tenant, source="live"))
    return rows.exclude(direction=Direction.NOTE)


def answers(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Return the messages of employees among those that count."""
    return rows.filter(direction=Direction.OUTBOUND, employee__isnull=False).exclude(source=AUTO)


def duration(seconds: float) -> str:
    """Return the part of a duration."""
    return next((name for most, name in DURATIONS if seconds <= most), LONGER)


_Row = tuple[str, datetime, UUID | None, str]


def _all(tenant: str, start: datetime, end: datetime) -> Iterator[_Row]:
    yield from _alerts(tenant, start, end)
    rows = talked(tenant).filter(occurred_at__gte=start, occurred_at__lt=end, recorded_at__gte=start - AHEAD)
    for at, team, direction in _each(rows, "occurred_at", "conversation__team_id", "direction"):
        yield "message", at, team, direction
    yield from _waited(tenant, rows)
    yield from _after_hours(tenant, answers(rows))
    credited = Inspection.objects.filter(
        message__in=answers(rows), stance__in=(Stance.REFUSE, Stance.REPORT)
    ).order_by()
    for at, team, stance in _each(credited, "message__occurred_at", "message__conversation__team_id", "stance"):
        yield "credit", at, team, stance


def _alerts(tenant: str, start: datetime, end: datetime) -> Iterator[_Row]:
    opened = Alert.objects.filter(tenant=tenant, opened_at__gte=start, opened_at__lt=end)
    for at, team, kind, channel in _each(opened, "opened_at", "team_id", "kind", "at_message__channel"):
        yield "alert", at, team, kind
        yield "channel", at, team, channel[:32]
    closed = Alert.objects.filter(
        tenant=tenant,
        status=Alert.Status.CLOSED,
        closed_by__isnull=False,
        closed_at__gte=start,
        closed_at__lt=end,
    )
    for at, team, since in _each(closed, "closed_at", "team_id", "opened_at"):
        yield "handled", at, team, duration((at - since).total_seconds())


def _waited(tenant: str, rows: QuerySet[Message]) -> Iterator[_Row]:
    same = talked(tenant).filter(conversation=OuterRef("conversation"))
    before = same.filter(
        Q(occurred_at__lt=OuterRef("occurred_at")) | Q(occurred_at=OuterRef("occurred_at"), id__lt=OuterRef("id"))
    )
    after = answers(same).filter(
        Q(occurred_at__gt=OuterRef("occurred_at")) | Q(occurred_at=OuterRef("occurred_at"), id__gt=OuterRef("id"))
    )
    asked = rows.filter(direction=Direction.INBOUND).annotate(
        previous=Subquery(before.order_by("-occurred_at", "-id").values("direction")[:1]),
        answered=Subquery(after.order_by("occurred_at", "id").values("occurred_at")[:1]),
    )
    for at, team, previous, answered in _each(asked, "occurred_at", "conversation__team_id", "previous", "answered"):
        if previous != Direction.INBOUND:
            waited = UNANSWERED if answered is None else duration((answered - at).total_seconds())
            yield "answer", at, team, waited


def _after_hours(tenant: str, rows: QuerySet[Message]) -> Iterator[_Row]:
    late = rows.filter(Exists(Finding.objects.filter(message=OuterRef("pk"), kind=FindingKind.AFTER_HOURS)))
    # Read before the queries below, which a cursor that is still open would disturb on some databases.
    for at, team, talk in list(_each(late, "occurred_at", "conversation__team_id", "conversation_id")):
        yield "after_hours", at, team, f"{local(at).weekday()} {local(at).hour:02}"
        asked = talked(tenant).filter(
            conversation=talk, direction=Direction.INBOUND, occurred_at__lte=at, occurred_at__gte=at - ANSWERS_FOR
        )
        yield "after_first", at, team, Side.CUSTOMER if asked.exists() else Side.EMPLOYEE


def _each(rows: QuerySet[Any], *names: str) -> Iterable[tuple[Any, ...]]:
    return rows.order_by().values_list(*names).iterator(chunk_size=2000)

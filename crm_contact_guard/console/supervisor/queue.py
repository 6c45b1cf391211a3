"""The queue of alerts: order, cursor, and a version for detecting changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from uuid import UUID

from django.db.models import Count, DateTimeField, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm_contact_guard import permissions
from crm_contact_guard.console.supervisor.filtering import IS_WAITING, Filters
from crm_contact_guard.console.supervisor.versions import micros, moment
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.supervision.models import Alert, Severity
from crm_contact_guard.supervision.watching.pseudonyms import are_used, veiled_employee

PAGE = 50
#: The order of alerts by their deadline. Those without one come last.
BY_DUE = "due"
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
_DUE = Coalesce("due_at", Value(_NEVER, output_field=DateTimeField()))


@dataclass(frozen=True)
class Page:
    rows: Sequence[Alert]
    next_cursor: str


@dataclass(frozen=True)
class Numbers:
    """The numbers on the overview, and when an alert was last closed."""

    waiting: int
    urgent: int
    review: int
    overdue: int
    last_closed: datetime | None


def teams_of(viewer: Employee) -> list[Team]:
    """Return the teams whose alerts the viewer may see."""
    if permissions.sees_all(viewer):
        return list(Team.objects.filter(tenant=viewer.tenant))
    return list(permissions.watched_teams(viewer))


def people_of(viewer: Employee) -> list[Employee]:
    """Return the employees whom alerts visible to the viewer concern, under their pseudonyms if these are used."""
    concerned = permissions.alerts(viewer).exclude(concerned=None).values("concerned")
    people = list(Employee.objects.filter(pk__in=concerned))
    return sorted(map(veiled_employee, people), key=attrgetter("name")) if are_used() else people


def rows(viewer: Employee, filters: Filters) -> QuerySet[Alert]:
    """Return the viewer's alerts that match the filters, sorted as they say."""
    found = permissions.alerts(viewer).filter(filters.q)
    found = found.select_related(
        "conversation__customer", "conversation__employee", "concerned", "team", "claimed_by", "at_message"
    )
    if filters.order == BY_DUE:
        return found.alias(due=_DUE).order_by("due", "id")
    return found.order_by("-severity", "-opened_at", "-id")


def page_of(viewer: Employee, filters: Filters, cursor: str = "", size: int = PAGE) -> Page:
    """Return one page of alerts. An invalid cursor leads to the first page."""
    found = rows(viewer, filters)
    place = _read_cursor(cursor, filters)
    if place is not None:
        found = found.filter(place)
    listed = list(found[: size + 1])
    return Page(rows=listed[:size], next_cursor=_cursor(listed[size - 1], filters) if len(listed) > size else "")


def neighbours(viewer: Employee, alert: Alert, filters: Filters) -> tuple[Alert | None, Alert | None]:
    """Return the previous and the next alert among those that match the filters."""
    behind = _behind(alert.severity, alert.opened_at, alert.pk)
    if filters.order == BY_DUE:
        behind = _due_behind(alert.due_at or _NEVER, alert.pk)
    found = rows(viewer, filters).exclude(pk=alert.pk)
    return found.exclude(behind).reverse().first(), found.filter(behind).first()


def version(viewer: Employee) -> str:
    """Return a version string that changes whenever any alert visible to the viewer changes."""
    state = permissions.alerts(viewer).aggregate(count=Count("pk"), moved=Max("updated_at"))
    moved = state["moved"]
    return f"{state['count']}.{micros(moved) if moved else 0}"


def numbers(viewer: Employee) -> Numbers:
    """Return the numbers for the overview, counted in one query."""
    waiting = Q(status__in=IS_WAITING)
    found = permissions.alerts(viewer).aggregate(
        waiting=Count("pk", filter=waiting),
        urgent=Count("pk", filter=waiting & Q(severity=Severity.HIGH)),
        review=Count("pk", filter=Q(status=Alert.Status.CLAIMED)),
        overdue=Count("pk", filter=waiting & Q(due_at__lte=timezone.now())),
        last_closed=Max("closed_at"),
    )
    return Numbers(**found)


def _behind(severity: int, opened_at: datetime, pk: UUID) -> Q:
    return (
        Q(severity__lt=severity)
        | Q(severity=severity, opened_at__lt=opened_at)
        | Q(severity=severity, opened_at=opened_at, id__lt=pk)
    )


def _due_behind(due_at: datetime, pk: UUID) -> Q:
    return Q(due__gt=due_at) | Q(due=due_at, id__gt=pk)


def _cursor(alert: Alert, filters: Filters) -> str:
    if filters.order == BY_DUE:
        return f"{BY_DUE}-{micros(alert.due_at or _NEVER)}-{alert.pk.hex}"
    return f"{alert.severity}-{micros(alert.opened_at)}-{alert.pk.hex}"


def _read_cursor(cursor: str, filters: Filters) -> Q | None:
    """Return the condition for alerts behind the cursor; None if it isn't one of this order."""
    try:
        first, number, key = cursor.split("-")
        if filters.order == BY_DUE:
            return _due_behind(moment(int(number)), UUID(key)) if first == BY_DUE else None
        return _behind(int(first), moment(int(number)), UUID(key))
    except (ValueError, OverflowError):
        return None

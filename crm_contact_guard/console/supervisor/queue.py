"""The queue of alerts: order, cursor, and a version for detecting changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from crm_contact_guard import permissions
from crm_contact_guard.console.supervisor.filtering import IS_WAITING, Filters
from crm_contact_guard.console.supervisor.versions import micros, moment
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.supervision.models import Alert, Severity

PAGE = 50


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
    last_closed: datetime | None


def teams_of(viewer: Employee) -> list[Team]:
    """Return the teams whose alerts the viewer may see."""
    if permissions.sees_all(viewer):
        return list(Team.objects.filter(tenant=viewer.tenant))
    return list(permissions.watched_teams(viewer))


def people_of(viewer: Employee) -> list[Employee]:
    """Return the employees whom alerts visible to the viewer concern."""
    concerned = permissions.alerts(viewer).exclude(concerned=None).values("concerned")
    return list(Employee.objects.filter(pk__in=concerned))


def rows(viewer: Employee, filters: Filters) -> QuerySet[Alert]:
    """Return the viewer's alerts that match the filters, sorted by severity (highest first), then newest first."""
    found = permissions.alerts(viewer).filter(filters.q)
    return found.select_related("conversation__customer", "concerned", "team", "claimed_by", "at_message").order_by(
        "-severity", "-opened_at", "-id"
    )


def page_of(viewer: Employee, filters: Filters, cursor: str = "", size: int = PAGE) -> Page:
    """Return one page of alerts. An invalid cursor leads to the first page."""
    found = rows(viewer, filters)
    place = _read_cursor(cursor)
    if place is not None:
        found = found.filter(_behind(*place))
    listed = list(found[: size + 1])
    return Page(rows=listed[:size], next_cursor=_cursor(listed[size - 1]) if len(listed) > size else "")


def neighbours(viewer: Employee, alert: Alert, filters: Filters) -> tuple[Alert | None, Alert | None]:
    """Return the previous and the next alert among those that match the filters."""
    place = (alert.severity, alert.opened_at, alert.pk)
    found = rows(viewer, filters).exclude(pk=alert.pk)
    after = found.filter(_behind(*place)).first()
    before = found.exclude(_behind(*place)).reverse().first()
    return before, after


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
        last_closed=Max("closed_at"),
    )
    return Numbers(**found)


def _behind(severity: int, opened_at: datetime, pk: UUID) -> Q:
    return (
        Q(severity__lt=severity)
        | Q(severity=severity, opened_at__lt=opened_at)
        | Q(severity=severity, opened_at=opened_at, id__lt=pk)
    )


def _cursor(alert: Alert) -> str:
    return f"{alert.severity}-{micros(alert.opened_at)}-{alert.pk.hex}"


def _read_cursor(cursor: str) -> tuple[int, datetime, UUID] | None:
    try:
        severity, number, key = cursor.split("-")
        return int(severity), moment(int(number)), UUID(key)
    except (ValueError, OverflowError):
        return None

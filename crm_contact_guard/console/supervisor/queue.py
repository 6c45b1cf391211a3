"""The queue of alerts: filters, order, cursor, and a version for detecting changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.supervision.models import Alert, FindingKind, Severity

PAGE = 50
WAITING = "waiting"
ALL = "all"
STATUSES: dict[str, str | Promise] = {
    WAITING: _("To do"),
    Alert.Status.OPEN.value: _("Not yet looked at"),
    Alert.Status.CLAIMED.value: _("In review"),
    Alert.Status.REVIEW.value: _("For review"),
    Alert.Status.SNOOZED.value: _("Snoozed"),
    Alert.Status.CLOSED.value: _("Closed"),
    ALL: _("All"),
}
_WAITING = (Alert.Status.OPEN, Alert.Status.CLAIMED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Filters:
    """Values to filter alerts by, named after their fields. Empty values match any alert; unknown ones are ignored."""

    status: str = WAITING
    kind: str = ""
    team: str = ""
    severity: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str], teams: Sequence[Team]) -> Filters:
        status, kind = given.get("status", ""), given.get("kind", "")
        team, severity = given.get("team", ""), given.get("severity", "")
        return cls(
            status=status if status in STATUSES else WAITING,
            kind=kind if kind in FindingKind.values else "",
            team=team if team in {str(row.pk) for row in teams} else "",
            severity=severity if severity in {str(value) for value in Severity.values} else "",
        )

    @property
    def query(self) -> str:
        """The filters as a URL's query string, without defaults."""
        values = {"status": self.status, "kind": self.kind, "team": self.team, "severity": self.severity}
        return urlencode({name: value for name, value in values.items() if value and value != WAITING})

    @property
    def narrowed(self) -> bool:
        return self != Filters()


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


def rows(viewer: Employee, filters: Filters) -> QuerySet[Alert]:
    """Return the viewer's alerts that match the filters, sorted by severity (highest first), then newest first."""
    found = permissions.alerts(viewer).select_related("conversation__customer", "concerned", "team", "claimed_by")
    if filters.status == WAITING:
        found = found.filter(status__in=_WAITING)
    elif filters.status != ALL:
        found = found.filter(status=filters.status)
    if filters.kind:
        found = found.filter(kind=filters.kind)
    if filters.team:
        found = found.filter(team_id=filters.team)
    if filters.severity:
        found = found.filter(severity=int(filters.severity))
    return found.order_by("-severity", "-opened_at", "-id")


def page_of(viewer: Employee, filters: Filters, cursor: str = "", size: int = PAGE) -> Page:
    """Return one page of alerts. An invalid cursor leads to the first page."""
    found = rows(viewer, filters)
    place = _read_cursor(cursor)
    if place is not None:
        found = found.filter(_behind(*place))
    listed = list(found[: size + 1])
    return Page(rows=listed[:size], next_cursor=_cursor(listed[size - 1]) if len(listed) > size else "")


def neighbours(viewer: Employee, alert: Alert) -> tuple[Alert | None, Alert | None]:
    """Return the previous and the next alert among those still to be handled."""
    place = (alert.severity, alert.opened_at, alert.pk)
    found = rows(viewer, Filters()).exclude(pk=alert.pk)
    after = found.filter(_behind(*place)).first()
    before = found.exclude(_behind(*place)).reverse().first()
    return before, after


def version(viewer: Employee) -> str:
    """Return a version string that changes whenever any alert visible to the viewer changes."""
    state = permissions.alerts(viewer).aggregate(count=Count("pk"), moved=Max("updated_at"))
    moved = state["moved"]
    return f"{state['count']}.{_micros(moved) if moved else 0}"


def numbers(viewer: Employee) -> Numbers:
    """Return the numbers for the overview, counted in one query."""
    waiting = Q(status__in=_WAITING)
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


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _cursor(alert: Alert) -> str:
    return f"{alert.severity}-{_micros(alert.opened_at)}-{alert.pk.hex}"


def _read_cursor(cursor: str) -> tuple[int, datetime, UUID] | None:
    try:
        severity, micros, key = cursor.split("-")
        return int(severity), _EPOCH + timedelta(microseconds=int(micros)), UUID(key)
    except (ValueError, OverflowError):
        return None

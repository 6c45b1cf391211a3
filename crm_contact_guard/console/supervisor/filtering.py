"""Filters of the queue, as they stand in its URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.times import midnight
from crm_contact_guard.console.url_filters import UrlFilters, is_day
from crm_contact_guard.supervision.models import Alert, FindingKind, Severity, Topic

WAITING: Final = "waiting"
ALL: Final = "all"
STATUSES: Final[dict[str, str | Promise]] = {
    WAITING: _("To do"),
    Alert.Status.OPEN.value: _("Not yet looked at"),
    Alert.Status.CLAIMED.value: _("In review"),
    Alert.Status.REVIEW.value: _("For review"),
    Alert.Status.SNOOZED.value: _("Snoozed"),
    Alert.Status.CLOSED.value: _("Closed"),
    ALL: _("All"),
}
#: Minimum age of an alert in days.
AGES: Final[dict[str, str | Promise]] = {
    "1": _("more than a day"),
    "3": _("more than three days"),
    "7": _("more than a week"),
    "30": _("more than a month"),
}
OVERDUE: Final = "overdue"
DUE: Final[dict[str, str | Promise]] = {
    OVERDUE: _("overdue"),
    "day": _("in the next 24 hours"),
}
#: How the queue is sorted. By default, the most severe alerts come first, and of those the newest.
ORDERS: Final[dict[str, str | Promise]] = {
    "": _("Most serious first"),
    "due": _("Soonest due first"),
}
IS_WAITING: Final = (Alert.Status.OPEN, Alert.Status.CLAIMED)


@dataclass(frozen=True)
class Filters(UrlFilters):
    """Values to filter alerts by. Empty values match any alert.

    ``since`` and ``until`` are days in the viewer's time zone, both included; ``age`` is a number of days.
    ``order`` is how they are sorted.
    """

    beside: ClassVar = frozenset({"cursor", "v", "overview", "density", "left", "done", "batch"})

    status: str = WAITING
    severity: str = ""
    topic: str = ""
    kind: str = ""
    person: str = ""
    team: str = ""
    since: str = ""
    until: str = ""
    age: str = ""
    due: str = ""
    order: str = ""

    @classmethod
    def is_usable(cls, name: str, value: str) -> bool:
        known = {
            "status": STATUSES,
            "severity": {str(one) for one in Severity.values},
            "topic": Topic.values,
            "kind": FindingKind.values,
            "age": AGES,
            "due": DUE,
            "order": ORDERS,
        }
        if name in known:
            return value in known[name]
        try:
            if name in ("since", "until"):
                return is_day(value)
            UUID(value)
        except ValueError:
            return False
        return True

    @property
    def query(self) -> str:
        """The filters as a URL's query string, without defaults."""
        return urlencode({name: value for name, value in self.texts.items() if value != WAITING})

    @property
    def address(self) -> str:
        """The query string of a link to the filtered queue. It is never empty, as that means the default view."""
        return self.query or urlencode({"status": WAITING})

    @property
    def narrowed(self) -> bool:
        return self != Filters(order=self.order)

    @property
    def q(self) -> Q:
        """The filters as a condition on alerts."""
        found = Q()
        if self.status == WAITING:
            found &= Q(status__in=IS_WAITING)
        elif self.status != ALL:
            found &= Q(status=self.status)
        columns = {"severity": "severity", "topic": "topic", "kind": "kind", "person": "concerned", "team": "team"}
        for name, column in columns.items():
            if getattr(self, name):
                found &= Q(**{column: getattr(self, name)})
        if self.since:
            found &= Q(opened_at__gte=midnight(date.fromisoformat(self.since)))
        if self.until:
            found &= Q(opened_at__lt=midnight(date.fromisoformat(self.until) + timedelta(days=1)))
        if self.age:
            found &= Q(opened_at__lt=timezone.now() - timedelta(days=int(self.age)))
        if self.due:
            until = timezone.now() + (timedelta(0) if self.due == OVERDUE else timedelta(days=1))
            found &= Q(due_at__lte=until, status__in=IS_WAITING)
        return found

"""The overview and the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.supervisor import queue
from crm_contact_guard.console.supervisor.filtering import AGES, DUE, ORDERS, STATUSES, Filters
from crm_contact_guard.console.supervisor.rows import Row, folded, rows_of
from crm_contact_guard.console.supervisor.undoing import Done, done_of
from crm_contact_guard.directory import absences
from crm_contact_guard.directory.models import Absence, Employee, Role, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.policy.known_rules.showing import unsigned
from crm_contact_guard.supervision.models import Alert, FindingKind, Severity, Topic
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import contested
from crm_contact_guard.supervision.queue_views.keeping import MOST, queue_views
from crm_contact_guard.supervision.queue_views.models import QueueView
from crm_contact_guard.supervision.watching.pseudonyms import veil

#: Number of alerts shown on the overview.
OVERVIEW = 20
#: Cookie with the density of the queue that a viewer prefers.
DENSITY = "contact_guard_density"
DENSITIES = ("dense", "comfortable")


@dataclass(frozen=True)
class Queue:
    """The listed part of the queue, with the parameters that the page sends when it polls for changes."""

    found: Sequence[Row]
    next_cursor: str
    filters: Filters
    #: Parameters of the address that were ignored, because they are unknown or can't be used.
    ignored: Sequence[str]
    numbers: queue.Numbers
    version: str
    #: Whether this is the first page. Later pages aren't updated live, since they must not change while being read.
    first: bool
    #: Whether the queue is part of the overview, where it is shown below the numbers.
    overview: bool
    may_review: bool
    resolutions: Sequence[tuple[str, str | Promise]] = Alert.RESOLUTIONS
    #: What has just been done: closed alerts that can be taken back.
    done: Done | None = None


@dataclass(frozen=True)
class DashboardPage(Shown):
    template = "dashboard.html"

    queue: Queue
    #: Alerts that the employee contests, and that nobody has answered yet.
    contested: Sequence[FlagRemark]
    #: Number of people whose signature under the rules the viewer may look up, and who haven't signed.
    unsigned: int


@dataclass(frozen=True)
class Kept:
    """A view that the viewer keeps: the number of its alerts, and whether the page shows it."""

    view: QueueView
    query: str
    count: int
    shown: bool


@dataclass(frozen=True)
class AlertsPage(Shown):
    template = "alerts.html"

    queue: Queue
    statuses: Sequence[tuple[str, str | Promise]]
    severities: Sequence[tuple[int, str | Promise]]
    topics: Sequence[tuple[str, str | Promise]]
    kinds: Sequence[tuple[str, str | Promise]]
    ages: Sequence[tuple[str, str | Promise]]
    due: Sequence[tuple[str, str | Promise]]
    orders: Sequence[tuple[str, str | Promise]]
    teams: Sequence[Team]
    people: Sequence[Employee]
    #: Number of alerts that match the filters, and when the newest visible change happened, in microseconds.
    count: int
    as_of: str
    dense: bool
    views: Sequence[Kept]
    #: Absences in which the viewer stands in now.
    standing_in: Sequence[Absence]
    error: str = ""
    comment: str = ""
    #: Why a view can't be kept, and the name that was given for it.
    view_error: str = ""
    view_name: str = ""

    @property
    def may_keep(self) -> bool:
        return len(self.views) < MOST


@dataclass(frozen=True)
class QueueNews(Shown):
    template = "parts/queue_news.html"

    queue: Queue


@page()
def dashboard(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the overview to viewers who have a queue of alerts. Redirect all others to the inbox."""
    if not permissions.is_supervising(viewer):
        return redirect("crm_contact_guard:inbox")
    waiting = list(contested(viewer)[:OVERVIEW])
    veil(viewer, [one.alert for one in waiting])
    found = queue_of(request, viewer, overview=True)
    return show(request, viewer, DashboardPage(found, waiting, unsigned(viewer)))


@page()
def alerts(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the entire queue, filtered and paginated. Without a query string, open the viewer's default view."""
    supervising(viewer)
    first = None if request.GET else queue_views(viewer).filter(is_default=True).first()
    if first is not None:
        return redirect(f"{request.path}?{Filters.read(QueryDict(first.query))[0].address}")
    response = show(request, viewer, alerts_page(request, viewer, done=done_of(viewer, request.GET)))
    if request.GET.get("density") in DENSITIES:
        response.set_cookie(DENSITY, request.GET["density"], max_age=366 * 86400, samesite="Lax", httponly=True)
    return response


@page()
def alert_news(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Return the current numbers and queue with the same filters, or 204 if nothing has changed since version ``v``."""
    supervising(viewer)
    if request.GET.get("v") == queue.version(viewer):
        return HttpResponse(status=204)
    overview = request.GET.get("overview") == "1"
    return show(request, viewer, QueueNews(queue_of(request, viewer, overview=overview)))


def supervising(viewer: Employee) -> None:
    """Raise NotPermitted if the viewer has no queue."""
    if not permissions.is_supervising(viewer):
        raise NotPermitted(_("Alerts are for supervisors, compliance officers and auditors."))


def alerts_page(request: HttpRequest, viewer: Employee, *, done: Done | None = None, **refused: str) -> AlertsPage:
    """Return the page of the whole queue. ``refused``: why an act failed, and its input (fields of ``AlertsPage``)."""
    shown = queue_of(request, viewer, done=done)
    return AlertsPage(
        queue=shown,
        statuses=list(STATUSES.items()),
        severities=list(Severity.choices)[::-1],
        topics=Topic.choices,
        kinds=[(value, label) for value, label in FindingKind.choices if value != FindingKind.PRIVATE_TOPIC],
        ages=list(AGES.items()),
        due=list(DUE.items()),
        orders=list(ORDERS.items()),
        teams=queue.teams_of(viewer),
        people=queue.people_of(viewer),
        count=permissions.alerts(viewer).filter(shown.filters.q).count(),
        as_of=shown.version.partition(".")[2],
        dense=request.GET.get("density", request.COOKIES.get(DENSITY)) == "dense",
        views=_kept(viewer, shown.filters),
        standing_in=list(absences.current().filter(stand_in=viewer).select_related("person")),
        **refused,
    )


def _kept(viewer: Employee, filters: Filters) -> list[Kept]:
    """Return the viewer's views, counted in one query."""
    views = list(queue_views(viewer))
    read = [Filters.read(QueryDict(view.query))[0] for view in views]
    asked = {f"n{number}": Count("pk", filter=one.q or None) for number, one in enumerate(read)}
    counts = permissions.alerts(viewer).aggregate(**asked) if asked else {}
    return [
        Kept(view, one.address, counts[f"n{number}"], one == filters)
        for number, (view, one) in enumerate(zip(views, read, strict=True))
    ]


def queue_of(request: HttpRequest, viewer: Employee, *, overview: bool = False, done: Done | None = None) -> Queue:
    """Return the part of the queue that the address names."""
    given = request.GET
    if request.method == "POST":
        given = QueryDict(request.POST.get("view", ""))
    filters, ignored = Filters.read(given)
    cursor = given.get("cursor", "")
    found = queue.page_of(viewer, filters, cursor, OVERVIEW if overview else queue.PAGE)
    return Queue(
        found=folded(rows_of(viewer, found.rows)),
        next_cursor=found.next_cursor,
        filters=filters,
        ignored=ignored,
        numbers=queue.numbers(viewer),
        version=queue.version(viewer),
        first=not cursor,
        overview=overview,
        may_review=viewer.role != Role.AUDITOR,
        done=done,
    )

"""The supervisor's pages: the overview, the queue, individual alerts and decisions about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import thread
from crm_contact_guard.console.conversation.thread import Erasing, Line, Window
from crm_contact_guard.console.forms import EraseForm
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.supervisor import queue
from crm_contact_guard.console.supervisor.alert_history import Step, steps
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.supervision import routing
from crm_contact_guard.supervision.erase_message import erasable
from crm_contact_guard.supervision.handling.moving import actor_of
from crm_contact_guard.supervision.handling.transitions import allowed
from crm_contact_guard.supervision.models import Alert, FindingKind
from crm_contact_guard.supervision.review import may_undo
from crm_contact_guard.supervision.second_reading.second_reader import reading_of
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.viewing.conversations import seen

#: Number of alerts shown on the overview.
OVERVIEW = 20


@dataclass(frozen=True)
class Queue:
    """The listed part of the queue, with the parameters that the page sends when it polls for changes."""

    found: queue.Page
    filters: queue.Filters
    numbers: queue.Numbers
    version: str
    #: Whether this is the first page. Later pages aren't updated live, since they must not change while being read.
    first: bool
    #: Whether the queue is part of the overview, where it is shown below the numbers.
    overview: bool


@dataclass(frozen=True)
class DashboardPage(Shown):
    template = "dashboard.html"

    queue: Queue


@dataclass(frozen=True)
class AlertsPage(Shown):
    template = "alerts.html"

    queue: Queue
    statuses: Sequence[tuple[str, str | Promise]]
    kinds: Sequence[tuple[str, str | Promise]]
    teams: Sequence[Team]


@dataclass(frozen=True)
class QueueNews(Shown):
    template = "parts/queue_news.html"

    queue: Queue


@dataclass(frozen=True)
class AlertPage(Shown):
    """One alert. ``error``: why a decision failed; ``resolution`` and ``comment``: the input for that decision."""

    template = "alert.html"

    alert: Alert
    title: str
    window: Window
    steps: Sequence[Step]
    #: Whether the viewer may decide on alerts at all.
    may_review: bool
    #: The actions that the viewer may take now (``handling.transitions``).
    actions: Sequence[str]
    #: Whom the alert can be assigned to.
    people: Sequence[Employee]
    #: Whether the viewer has claimed the alert.
    mine: bool
    resolutions: Sequence[tuple[str, str | Promise]]
    #: The previous and the next alert among those still to be handled.
    before: Alert | None
    after: Alert | None
    #: The second reader's answer.
    reading: ReaderAnswer | None = None
    error: str = ""
    resolution: str = ""
    comment: str = ""


@page()
def dashboard(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the overview to viewers who have a queue of alerts. Redirect all others to the inbox."""
    if not permissions.is_supervising(viewer):
        return redirect("crm_contact_guard:inbox")
    return show(request, viewer, DashboardPage(_queue(request, viewer, queue.teams_of(viewer), overview=True)))


@page()
def alerts(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the entire queue, filtered and paginated."""
    _supervising(viewer)
    teams = queue.teams_of(viewer)
    shown = AlertsPage(
        queue=_queue(request, viewer, teams),
        statuses=list(queue.STATUSES.items()),
        kinds=[(value, label) for value, label in FindingKind.choices if value != FindingKind.PRIVATE_TOPIC],
        teams=teams,
    )
    return show(request, viewer, shown)


@page()
def alert_news(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Return the current numbers and queue with the same filters, or 204 if nothing has changed since version ``v``."""
    _supervising(viewer)
    if request.GET.get("v") == queue.version(viewer):
        return HttpResponse(status=204)
    overview = request.GET.get("overview") == "1"
    return show(request, viewer, QueueNews(_queue(request, viewer, queue.teams_of(viewer), overview=overview)))


@page()
def alert(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one alert: the messages around the evidence, the reasons, the history and the decision."""
    row = find(viewer, pk)
    seen(viewer, row.conversation, "alert", str(row.pk))
    return show(request, viewer, alert_page(viewer, row))


def _supervising(viewer: Employee) -> None:
    if not permissions.is_supervising(viewer):
        raise NotPermitted(_("Alerts are for supervisors, compliance officers and auditors."))


def find(viewer: Employee, pk: UUID) -> Alert:
    """Return the alert. Raise Http404 if the viewer may not see it."""
    rows = permissions.alerts(viewer).select_related(
        "conversation__customer", "conversation__employee", "concerned", "team", "claimed_by", "closed_by", "at_message"
    )
    return get_object_or_404(rows, pk=pk)


def _queue(request: HttpRequest, viewer: Employee, teams: Sequence[Team], *, overview: bool = False) -> Queue:
    filters = queue.Filters.read(request.GET, teams)
    cursor = request.GET.get("cursor", "")
    return Queue(
        found=queue.page_of(viewer, filters, cursor, OVERVIEW if overview else queue.PAGE),
        filters=filters,
        numbers=queue.numbers(viewer),
        version=queue.version(viewer),
        first=not cursor,
        overview=overview,
    )


def alert_page(
    viewer: Employee,
    row: Alert,
    *,
    error: str = "",
    resolution: str = "",
    comment: str = "",
    erase_form: EraseForm | None = None,
    erasing: UUID | None = None,
) -> AlertPage:
    """Return the page for an alert. ``erasing``: ID of the message that ``erase_form`` was filled in for."""
    findings = row.findings.select_related("message").order_by("message__occurred_at", "start")
    evidence = [finding.message for finding in findings] or [row.at_message]
    evidence.sort(key=lambda message: (message.occurred_at, message.pk))
    before, after = queue.neighbours(viewer, row)
    window = thread.around(row.conversation, findings, evidence, margin=4)
    may_review = permissions.may_review(viewer, row)
    if permissions.may_erase(viewer, row):
        filled = {erasing: erase_form} if erasing is not None and erase_form is not None else {}
        window = replace(window, lines=_erasable(row, window.lines, filled))
    return AlertPage(
        alert=row,
        title=alert_title(row),
        window=window,
        steps=steps(row),
        may_review=may_review,
        actions=actions(viewer, row) if may_review else [],
        people=[one for one in routing.assignable(row) if one.pk != row.addressee_id] if may_review else [],
        mine=row.status == Alert.Status.CLAIMED and row.claimed_by_id == viewer.pk,
        resolutions=Alert.RESOLUTIONS,
        before=before,
        after=after,
        reading=reading_of(row),
        error=error,
        resolution=resolution,
        comment=comment,
    )


def actions(viewer: Employee, row: Alert) -> list[str]:
    """Return the names of the actions that the viewer, who may review the alert, may take now."""
    names = [str(action) for action in allowed(row.status, actor_of(row, viewer))]
    return [
        name
        for name in names
        if (name != "undo" or may_undo(row, viewer)) and (name != "escalate" or routing.above(row) is not None)
    ]


def _erasable(row: Alert, lines: Sequence[Line], filled: Mapping[UUID, EraseForm]) -> list[Line]:
    """Add an erasure form to the line of each message with sensitive data that the alert names.

    ``filled``: forms with input that was rejected, by message ID. All other forms are empty.
    """
    named = set(erasable(row).values_list("pk", flat=True))
    return [
        replace(
            line,
            erasing=Erasing(
                alert_id=row.pk,
                form=filled.get(line.message.pk) or EraseForm(),
                open=line.message.pk in filled,
            ),
        )
        if line.message.pk in named
        else line
        for line in lines
    ]

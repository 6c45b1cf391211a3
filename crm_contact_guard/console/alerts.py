"""The supervisor's pages: overview, queue, one alert, and what is decided about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console import queue, thread
from crm_contact_guard.console.forms import EraseForm
from crm_contact_guard.console.page import page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.erase_message import erasable, erasures
from crm_contact_guard.supervision.models import Alert, FindingKind
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_history, alert_reopen
from crm_contact_guard.supervision.second_reader import reading_of
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.viewing.conversations import seen

#: Rows of the queue on the overview.
OVERVIEW = 20


@dataclass(frozen=True)
class Step:
    """One step in an alert's history, in words."""

    event: Event
    words: str
    icon: str


@page()
def dashboard(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """The overview of whoever has a queue; anybody else's work is in the inbox."""
    if not permissions.is_supervising(viewer):
        return redirect("crm_contact_guard:inbox")
    return show(request, viewer, "dashboard.html", {**_queue(request, viewer, OVERVIEW), "overview": True})


@page()
def alerts(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """The whole queue, filtered and paged."""
    _supervising(viewer)
    return show(request, viewer, "alerts.html", _queue(request, viewer, queue.PAGE))


@page()
def alert_news(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Numbers and queue again, under the same filters; 204 when all is still as ``v`` says."""
    _supervising(viewer)
    if request.GET.get("v") == queue.version(viewer):
        return HttpResponse(status=204)
    overview = request.GET.get("overview") == "1"
    context = _queue(request, viewer, OVERVIEW if overview else queue.PAGE)
    return show(request, viewer, "parts/queue_news.html", {**context, "overview": overview})


@page()
def alert(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """One alert: the messages around the evidence, the reasons, the history, and the decision."""
    row = find(viewer, pk)
    seen(viewer, row.conversation, "alert", str(row.pk))
    return show(request, viewer, "alert.html", alert_context(viewer, row))


@page("POST")
def claim(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Say "I am looking at it"."""
    row = _reviewable(viewer, pk)
    try:
        alert_claim(alert_id=row.pk, reviewer=viewer)
    except AlreadyClosed as error:
        return show(
            request, viewer, "alert.html", alert_context(viewer, find(viewer, pk), error=str(error)), status=409
        )
    return redirect("crm_contact_guard:alert", pk)


@page("POST")
def close(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Close with a resolution and a comment. What was typed comes back when that is not possible."""
    row = _reviewable(viewer, pk)
    resolution, comment = request.POST.get("resolution", ""), request.POST.get("comment", "")
    try:
        alert_close(alert_id=row.pk, reviewer=viewer, resolution=resolution, comment=comment)
    except (AlreadyClosed, InvalidMessage) as error:
        words = str(error)
        if isinstance(error, InvalidMessage) and error.field == "resolution":
            words = _("Choose how this ends before closing it.")
        context = alert_context(viewer, find(viewer, pk), error=words, resolution=resolution, comment=comment)
        return show(request, viewer, "alert.html", context, status=409 if isinstance(error, AlreadyClosed) else 422)
    return redirect(reverse("crm_contact_guard:alert", args=[pk]) + "?closed=1")


@page("POST")
def reopen(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Take up again what the second reader set aside."""
    row = _reviewable(viewer, pk)
    try:
        alert_reopen(alert_id=row.pk, reviewer=viewer)
    except AlreadyClosed as error:
        context = alert_context(viewer, find(viewer, pk), error=str(error))
        return show(request, viewer, "alert.html", context, status=409)
    return redirect("crm_contact_guard:alert", pk)


def _supervising(viewer: Employee) -> None:
    if not permissions.is_supervising(viewer):
        raise NotPermitted(_("Alerts are for supervisors, compliance officers and auditors."))


def find(viewer: Employee, pk: UUID) -> Alert:
    """The alert, when the viewer may see it. Raises Http404."""
    rows = permissions.alerts(viewer).select_related(
        "conversation__customer", "conversation__employee", "concerned", "team", "claimed_by", "closed_by", "at_message"
    )
    return get_object_or_404(rows, pk=pk)


def _reviewable(viewer: Employee, pk: UUID) -> Alert:
    row = find(viewer, pk)
    if not permissions.may_review(viewer, row):
        raise NotPermitted(_("Auditors read and export; they decide nothing."))
    return row


def _queue(request: HttpRequest, viewer: Employee, size: int) -> dict[str, Any]:
    teams = queue.teams_of(viewer)
    filters = queue.Filters.read(request.GET, teams)
    found = queue.page_of(viewer, filters, request.GET.get("cursor", ""), size)
    return {
        "page": found,
        "filters": filters,
        "statuses": queue.STATUSES.items(),
        "kinds": [(value, label) for value, label in FindingKind.choices if value != FindingKind.PRIVATE_TOPIC],
        "teams": teams,
        "numbers": queue.numbers(viewer),
        "version": queue.version(viewer),
        "first_page": not request.GET.get("cursor"),
        "overview": False,
    }


def alert_context(
    viewer: Employee,
    row: Alert,
    *,
    error: str = "",
    resolution: str = "",
    comment: str = "",
    erase_form: EraseForm | None = None,
    erasing: UUID | None = None,
) -> dict[str, Any]:
    """What the page of an alert shows. ``erasing``: the message that ``erase_form`` was filled in for."""
    findings = row.findings.select_related("message").order_by("message__occurred_at", "start")
    evidence = [finding.message for finding in findings] or [row.at_message]
    evidence.sort(key=lambda message: (message.occurred_at, message.pk))
    before, after = queue.neighbours(viewer, row)
    window = thread.around(row.conversation, findings, evidence, margin=4)
    return {
        "alert": row,
        "title": alert_title(row),
        "conversation": row.conversation,
        "window": window,
        "evidence_ids": {message.pk for message in evidence},
        "steps": steps(row),
        "may_review": permissions.may_review(viewer, row) and row.status != Alert.Status.CLOSED,
        "mine": row.claimed_by_id == viewer.pk,
        "resolutions": Alert.RESOLUTIONS,
        "reading": reading_of(row),
        "may_reopen": permissions.may_review(viewer, row)
        and row.status == Alert.Status.CLOSED
        and row.resolution == Alert.Resolution.NOTICED,
        "resolution": resolution,
        "comment": comment,
        "error": error,
        "before": before,
        "after": after,
        "erasable": set(erasable(row).values_list("pk", flat=True)) if permissions.may_erase(viewer, row) else set(),
        "erase_form": erase_form,
        "erase_blank": EraseForm(),
        "erasing": erasing,
    }


def steps(row: Alert) -> list[Step]:
    """The recorded history in words."""
    events = sorted([*alert_history(row), *erasures(row)], key=lambda event: (event.recorded_at, event.pk))
    people = {str(person.pk): person.name for person in Employee.objects.filter(pk__in=_people(events))}
    return [_step(event, people) for event in events]


def _people(events: list[Event]) -> set[str]:
    named = {event.actor for event in events if event.actor_type == Event.ActorType.EMPLOYEE}
    return named | {str(data["addressee"]) for data in (json.loads(e.data) for e in events) if data.get("addressee")}


def _step(event: Event, people: dict[str, str]) -> Step:
    data = json.loads(event.data)
    name = people.get(event.actor, "")
    if event.kind == "alert.opened":
        to = people.get(str(data.get("addressee")), "")
        words = _("Opened, addressed to %(name)s") % {"name": to} if to else _("Opened")
        return Step(event, words, "bell")
    if event.kind == "alert.extended":
        return Step(event, _("More of the same was found and joined it"), "plus")
    if event.kind == "alert.claimed":
        return Step(event, _("%(name)s is looking at it") % {"name": name}, "eye")
    if event.kind == "alert.closed":
        if event.actor_type == Event.ActorType.SYSTEM:
            return Step(event, _("The second reader, a machine, set it aside: only noticed"), "circle-check")
        resolution = dict(Alert.Resolution.choices).get(data.get("resolution", ""), "")
        words = _("%(name)s closed it: %(resolution)s") % {"name": name, "resolution": resolution}
        return Step(event, words, "circle-check")
    if event.kind == "alert.reopened":
        return Step(event, _("%(name)s opened it again") % {"name": name}, "history")
    if event.kind.startswith("erasure."):
        return Step(event, _("%(name)s erased the content of a message") % {"name": name}, "trash-2")
    return Step(event, event.kind, "circle-dot")

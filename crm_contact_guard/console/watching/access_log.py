"""The access log: who read, unmasked or exported what, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.supervisor.versions import micros, moment
from crm_contact_guard.console.watching.filtering import WHAT, AccessFilters
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.exports.access_log import FORMS, access_log_export
from crm_contact_guard.hosting.downloads import streamed
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.unmasking import unmask_approve, unmask_refuse, unmask_requests

#: Number of accesses on a page.
PAGE: Final = 100
#: What a page or API path showed of a conversation.
_PURPOSES: dict[str, Any] = {
    "alert": gettext_lazy("looked at an alert"),
    "alerts": gettext_lazy("saw a line of it in the list of alerts"),
    "hold": gettext_lazy("looked at a held message"),
    "consultation": gettext_lazy("looked at a consultation"),
    "case": gettext_lazy("read it in a case"),
    "file": gettext_lazy("opened a file"),
    "api.file": gettext_lazy("opened a file by the API"),
}


@dataclass(frozen=True)
class Access:
    """One recorded access: who did what, and why. ``reader`` is the name or, if it isn't known, the ID."""

    event: Event
    reader: str
    words: str
    icon: str


@dataclass(frozen=True)
class AccessLogPage(Shown):
    template = "watching/access_log.html"

    rows: Sequence[Access]
    next_cursor: str
    #: Whether this is the first page.
    first: bool
    filters: AccessFilters
    ignored: Sequence[str]
    people: Sequence[Employee]
    whats: Sequence[tuple[str, str | Promise]]
    #: Requests to unmask that the viewer can decide on.
    requests: Sequence[Access]
    #: Number of open unusual readings.
    unusual: int
    #: Why a request could not be refused.
    error: str = ""


@page()
def access_log(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List accesses, newest first, filtered and paginated."""
    return show(request, viewer, _page(request, viewer))


def _page(request: HttpRequest, viewer: Employee) -> AccessLogPage:
    _require(viewer)
    filters, ignored = AccessFilters.read(request.GET)
    found = permissions.access_log(viewer).filter(**filters.lookups)
    place = _read_cursor(request.GET.get("cursor", ""))
    if place is not None:
        at, key = place
        found = found.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, id__lt=key), recorded_at__lte=at)
    events = list(
        found.select_related("conversation__customer", "conversation__employee").order_by("-recorded_at", "-id")[
            : PAGE + 1
        ]
    )
    more = events[PAGE - 1] if len(events) > PAGE else None
    return AccessLogPage(
        rows=rows_of(viewer, events[:PAGE]),
        next_cursor=f"{micros(more.recorded_at)}-{more.pk.hex}" if more is not None else "",
        first=place is None,
        filters=filters,
        ignored=ignored,
        people=list(Employee.objects.filter(tenant=viewer.tenant)),
        whats=[(value, label) for value, (label, _kinds) in WHAT.items()],
        requests=rows_of(viewer, unmask_requests(viewer)),
        unusual=permissions.unusual_readings(viewer).filter(state=UnusualReading.State.OPEN).count(),
    )


@page("POST")
def approve(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Approve a request to see a customer's full addresses."""
    unmask_approve(request_id=pk, approved_by=viewer)
    return redirect("crm_contact_guard:access_log")


@page("POST")
def refuse(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Refuse a request to see a customer's full addresses, with a reason."""
    try:
        unmask_refuse(request_id=pk, refused_by=viewer, reason=request.POST.get("reason", ""))
    except InvalidMessage as error:
        return show(request, viewer, replace(_page(request, viewer), error=str(error)), status=422)
    return redirect("crm_contact_guard:access_log")


@page("POST")
def export(request: HttpRequest, viewer: Employee) -> HttpResponseBase:
    """Download the accesses that match the filters in ``view``, as CSV or JSON Lines (``form``). This is recorded."""
    filters, _ignored = AccessFilters.read(QueryDict(request.POST.get("view", "")))
    form = request.POST.get("form", "")
    stream = access_log_export(
        viewer=viewer, form=form if form in FORMS else "csv", lookups=filters.lookups, filters=filters.texts
    )
    return streamed(request, stream.chunks, content_type=stream.content_type, file_name=stream.file_name)


def rows_of(viewer: Employee, events: Sequence[Event]) -> list[Access]:
    """Return what the page says about accesses, whose conversations must be loaded."""
    actors = {event.actor for event in events if event.actor}
    people = Employee.objects.filter(tenant=viewer.tenant, pk__in=actors)
    names = {str(person.pk): person.name for person in people}
    return [Access(event, names.get(event.actor, event.actor), *_words(event)) for event in events]


def _require(viewer: Employee) -> None:
    if not permissions.may_read_record(viewer):
        raise NotPermitted(_("Only compliance officers and auditors read the access log."))


def _words(event: Event) -> tuple[str, str]:
    """Return what was done, and its icon."""
    data = json.loads(event.data)
    match event.kind:
        case "view.unmasked":
            return _("had the full addresses shown"), "eye"
        case "unmask.asked":
            return _("asks to see the full addresses"), "hourglass"
        case "view.search":
            return _("searched the record for"), "search"
        case "view.case":
            return _("read a letter of a case") if "letter" in data else _("read a case"), "briefcase"
        case "export.streamed":
            return _("exported %(name)s") % {"name": data.get("form", event.subject_id)}, "download"
        case "export.bundle":
            return _("made a bundle for auditors"), "download"
    purpose = data.get("purpose", "")
    if purpose not in _PURPOSES and purpose.startswith("api."):
        return _("read the conversation by the API"), "eye"
    return str(_PURPOSES.get(purpose, _("read the conversation"))), "eye"


def _read_cursor(cursor: str) -> tuple[Any, UUID] | None:
    try:
        number, key = cursor.split("-")
        return moment(int(number)), UUID(key)
    except (ValueError, OverflowError):
        return None

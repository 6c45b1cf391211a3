"""Unusual reading: the list, and one with its evidence and its close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.watching.access_log import Access, rows_of
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.watching.closing import evidence_of, reading_close
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.telling import reading_title

#: Number of closed rows listed.
CLOSED: Final = 100


@dataclass(frozen=True)
class Row:
    reading: UnusualReading
    title: str


@dataclass(frozen=True)
class Close:
    """A close in the history."""

    event: Event
    name: str


@dataclass(frozen=True)
class ReadingsPage(Shown):
    template = "watching/readings.html"

    open: Sequence[Row]
    closed: Sequence[Row]


@dataclass(frozen=True)
class ReadingPage(Shown):
    """``error``: why the close failed; ``resolution`` and ``comment``: its input."""

    template = "watching/reading.html"

    row: Row
    evidence: Sequence[Access]
    closes: Sequence[Close]
    may_judge: bool
    resolutions: Sequence[tuple[str, str | Promise]] = Alert.RESOLUTIONS
    error: str = ""
    resolution: str = ""
    comment: str = ""


@page()
def unusual_readings(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List unusual readings: all open ones, the most serious first, and the last closed ones."""
    _require(viewer)
    rows = permissions.unusual_readings(viewer).select_related("reader")
    waiting = rows.filter(state=UnusualReading.State.OPEN).order_by("-severity", "-day", "-id")
    closed = rows.filter(state=UnusualReading.State.CLOSED).order_by("-closed_at", "-id")[:CLOSED]
    return show(request, viewer, ReadingsPage([_row(row) for row in waiting], [_row(row) for row in closed]))


@page("GET", "HEAD", "POST")
def unusual_reading(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one with its evidence, or close it."""
    _require(viewer)
    rows = permissions.unusual_readings(viewer).select_related("reader", "closed_by", "case")
    row = get_object_or_404(rows, pk=pk)
    if request.method == "POST" and not permissions.may_judge(viewer, row):
        raise NotPermitted(_("Compliance officers close unusual readings, but never their own."))
    if request.method != "POST":
        return show(request, viewer, _page(viewer, row))
    resolution, comment = request.POST.get("resolution", ""), request.POST.get("comment", "")
    try:
        reading_close(reading_id=row.pk, reviewer=viewer, resolution=resolution, comment=comment)
    except (AlreadyClosed, InvalidMessage) as error:
        status = 409 if isinstance(error, AlreadyClosed) else 422
        shown = _page(viewer, row, error=str(error), resolution=resolution, comment=comment)
        return show(request, viewer, shown, status=status)
    return redirect("crm_contact_guard:unusual_readings")


def _require(viewer: Employee) -> None:
    if not permissions.may_read_record(viewer):
        raise NotPermitted(_("Only compliance officers and auditors see unusual reading."))


def _row(row: UnusualReading) -> Row:
    return Row(row, reading_title(row))


def _page(
    viewer: Employee, row: UnusualReading, *, error: str = "", resolution: str = "", comment: str = ""
) -> ReadingPage:
    closes = Event.objects.filter(
        kind="unusual_reading.closed", subject_type="unusual_reading", subject_id=str(row.pk)
    ).order_by("recorded_at", "id")
    people = Employee.objects.filter(pk__in={event.actor for event in closes})
    names = {str(person.pk): person.name for person in people}
    return ReadingPage(
        row=_row(row),
        evidence=rows_of(viewer, evidence_of(row)),
        closes=[Close(event, names.get(event.actor, "")) for event in closes],
        may_judge=permissions.may_judge(viewer, row) and row.state == UnusualReading.State.OPEN,
        error=error,
        resolution=resolution,
        comment=comment,
    )

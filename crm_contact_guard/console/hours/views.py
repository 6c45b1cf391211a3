"""The pages ``hours/``: whose hours the viewer may see, an employee's next 28 days, and the company's own dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.hours.forms import FORMS, EntryForm
from crm_contact_guard.console.hours.shown import Entry, Week, entries_of, problem_of, weeks_of
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.calendars.entering import calendar_enter, calendar_remove
from crm_contact_guard.policy.calendars.entries import FOR_COMPANY, FOR_EMPLOYEE
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.calendars.storing import calendar_find

#: Maximum number of colleagues listed. If there are more, users search by name.
MOST = 100


@dataclass(frozen=True)
class HoursPage(Shown):
    """The colleagues whose hours the viewer may see, besides the viewer."""

    template = "hours.html"

    words: str
    people: Sequence[Employee]
    more: bool
    may_enter_company: bool
    most: int = MOST


@dataclass(frozen=True)
class CalendarPage(Shown):
    """An employee's next weeks, or the company's dates (``owner`` is None), with the entries and the forms for more."""

    template = "calendar.html"

    owner: Employee | None
    weeks: Sequence[Week]
    #: Why the weeks can't be calculated, or a source can't be read.
    problem: str
    zone: str
    entries: Sequence[Entry]
    version: int
    may_enter: bool
    forms: Sequence[EntryForm]
    stale: bool


@page()
def overview(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List the colleagues whose hours the viewer may see. Show viewers who may see nobody else's their own."""
    supervises = permissions.watched_teams(viewer)
    if not permissions.sees_all(viewer) and not supervises.exists():
        return redirect("crm_contact_guard:hours_employee", viewer.pk)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    people = Employee.objects.filter(tenant=viewer.tenant, active=True)
    if not permissions.sees_all(viewer):
        people = people.filter(teams__in=supervises).distinct()
    found = list(people.filter(part_of("name", words)).order_by("name", "pk")[: MOST + 1])
    may_enter = permissions.may_enter_hours(viewer, None, viewer.tenant)
    shown = HoursPage(words, found[:MOST], more=len(found) > MOST, may_enter_company=may_enter)
    return show(request, viewer, shown)


@page()
def employee(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show an employee's next 28 days."""
    return _page(request, viewer, _find(viewer, pk))


@page()
def company(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the company's own dates."""
    if not permissions.may_enter_hours(viewer, None, viewer.tenant):
        raise NotPermitted(_("The company's dates are entered by compliance officers."))
    return _page(request, viewer, None)


@page("POST")
def enter(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Add an entry to an employee's calendar."""
    return _enter(request, viewer, _find(viewer, pk))


@page("POST")
def remove(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Remove an entry from an employee's calendar."""
    return _remove(request, viewer, _find(viewer, pk))


@page("POST")
def company_enter(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Add one of the company's own dates."""
    return _enter(request, viewer, None)


@page("POST")
def company_remove(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Remove one of the company's own dates."""
    return _remove(request, viewer, None)


def _find(viewer: Employee, pk: UUID) -> Employee:
    owner = get_object_or_404(Employee, pk=pk, tenant=viewer.tenant)
    if not permissions.may_see_hours(viewer, owner):
        raise Http404
    return owner


def _enter(request: HttpRequest, viewer: Employee, owner: Employee | None) -> HttpResponse:
    kind = request.POST.get("kind", "")
    made = next((one for one in FORMS if one.kind == kind), None)
    given = {name: str(value).replace("\0", "") for name, value in request.POST.items()}
    form = made(given) if made is not None else None
    try:
        calendar_enter(
            actor=viewer, tenant=viewer.tenant, owner=owner, kind=kind, given=given, version=_number(given, "version")
        )
    except InvalidMessage as error:
        if form is None:
            raise Http404 from error
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return _page(request, viewer, owner, form=form, status=422)
    except NotPossible:
        return _page(request, viewer, owner, form=form, stale=True, status=409)
    return _back(owner)


def _remove(request: HttpRequest, viewer: Employee, owner: Employee | None) -> HttpResponse:
    kind, given = request.POST.get("kind", ""), request.POST
    numbers = {name: _number(given, name) for name in ("number", "version")}
    try:
        calendar_remove(actor=viewer, tenant=viewer.tenant, owner=owner, kind=kind, **numbers)
    except InvalidMessage as error:
        raise Http404 from error
    except NotPossible:
        return _page(request, viewer, owner, stale=True, status=409)
    return _back(owner)


def _number(given: Mapping[str, str], name: str) -> int:
    with suppress(ValueError):
        return int(str(given.get(name, ""))[:9])
    return -1


def _back(owner: Employee | None) -> HttpResponse:
    if owner is None:
        return redirect("crm_contact_guard:hours_company")
    return redirect("crm_contact_guard:hours_employee", owner.pk)


def _page(
    request: HttpRequest,
    viewer: Employee,
    owner: Employee | None,
    *,
    form: EntryForm | None = None,
    stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    row = calendar_find(viewer.tenant, owner, WorkCalendar.Source.PAGE)
    kinds = FOR_EMPLOYEE if owner is not None else FOR_COMPANY
    weeks, problem = weeks_of(owner) if owner is not None else ((), "")
    shown = CalendarPage(
        owner=owner,
        weeks=weeks,
        problem=problem or problem_of(owner),
        zone=hours.zone(owner).key if owner is not None else "",
        entries=entries_of(row.calendar if row is not None else {}, kinds),
        version=row.version if row is not None else 0,
        may_enter=permissions.may_enter_hours(viewer, owner, viewer.tenant),
        forms=[form if form is not None and one.kind == form.kind else one() for one in FORMS if one.kind in kinds],
        stale=stale,
    )
    return show(request, viewer, shown, status=status)

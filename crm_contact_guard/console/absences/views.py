"""The page ``absences/``: who is away and who stands in, entering an absence and ending it early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Absence, Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.supervision.standing_in import entering


@dataclass(frozen=True)
class Line:
    absence: Absence
    has_begun: bool
    may_end: bool


@dataclass(frozen=True)
class Texts:
    """A text for each field of the form: what was typed, or why it can't be used."""

    person: str = ""
    stand_in: str = ""
    first: str = ""
    last: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Texts:
        return cls(**{field.name: given.get(field.name, "") for field in fields(cls)})


@dataclass(frozen=True)
class AbsencesPage(Shown):
    """``person`` is the one whose absence the form is about; None if the viewer may enter none."""

    template = "absences.html"

    lines: Sequence[Line]
    person: Employee | None
    people: Sequence[Employee]
    stand_ins: Sequence[Employee]
    #: Leave in the person's calendars for which nothing is entered.
    leave: Sequence[tuple[date, date]]
    given: Texts
    #: Why the absence can't be entered.
    errors: Texts


@page()
def absences(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the absences that aren't over, and the form: the viewer's own, or with ``person`` somebody else's."""
    return _page(request, viewer, {name: str(value) for name, value in request.GET.items()})


@page("POST")
def enter(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Enter an absence."""
    given = {name: str(value).replace("\0", "") for name, value in request.POST.items()}
    try:
        person, stand_in = _key(given, "person"), _key(given, "stand_in")
        entering.absence_enter(
            actor=viewer, person=person, stand_in=stand_in, first=_day(given, "first"), last=_day(given, "last")
        )
    except InvalidMessage as error:
        return _page(request, viewer, given, {error.field or "": str(error)}, status=422)
    return redirect("crm_contact_guard:absences")


@page("POST")
def end(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """End an absence now, or withdraw it."""
    if not entering.absences(viewer).filter(pk=pk).exists():
        raise Http404
    entering.absence_end(actor=viewer, absence_id=pk)
    return redirect("crm_contact_guard:absences")


def _page(
    request: HttpRequest,
    viewer: Employee,
    given: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    rows = list(entering.absences(viewer))
    people = _people(viewer)
    if not rows and not people and not permissions.sees_all(viewer):
        raise NotPermitted(_("Absences are for those who supervise a team, and for compliance officers."))
    now = timezone.now()
    person = next((one for one in people if str(one.pk) == given.get("person")), people[0] if people else None)
    shown = AbsencesPage(
        lines=[Line(row, row.starts_at <= now, entering.may_end(viewer, row)) for row in rows],
        person=person,
        people=people,
        stand_ins=list(entering.stand_ins(person)) if person is not None else [],
        leave=entering.leave_ahead(person) if person is not None else [],
        given=Texts.of(given),
        errors=Texts.of(errors or {}),
    )
    return show(request, viewer, shown, status=status)


def _people(viewer: Employee) -> list[Employee]:
    """Return those whose absences the viewer may enter, the viewer first."""
    found: QuerySet[Employee] = Employee.objects.filter(tenant=viewer.tenant, active=True)
    if viewer.role == Role.COMPLIANCE:
        heads = Q(supervised_teams__isnull=False) | Q(deputy_teams__isnull=False) | Q(role=Role.COMPLIANCE)
        found = found.filter(heads).exclude(role=Role.AUDITOR).distinct()
    else:
        found = found.filter(pk=viewer.pk)
    may = [one for one in found if permissions.may_enter_absence(viewer, one)]
    return sorted(may, key=lambda one: (one.pk != viewer.pk, one.name, one.pk))


def _key(given: Mapping[str, str], field: str) -> UUID:
    try:
        return UUID(given.get(field, ""))
    except ValueError:
        raise InvalidMessage(_("Choose a person."), field=field) from None


def _day(given: Mapping[str, str], field: str) -> date:
    text = given.get(field, "").strip() or (given.get("first", "").strip() if field == "last" else "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidMessage(_("Enter a date such as 2026-05-06."), field=field) from None

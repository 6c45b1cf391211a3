"""Pages of cases: the list, one case, its steps and letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.cases.course import Mark, course
from crm_contact_guard.console.cases.forms import FORMS
from crm_contact_guard.console.cases.step_form import StepForm
from crm_contact_guard.console.conversation import thread
from crm_contact_guard.console.conversation.line import Line
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.supervision.cases.models import (
    Case,
    CaseEvidence,
    CaseLetter,
    CaseParticipant,
    CaseTask,
    Sort,
    State,
)
from crm_contact_guard.supervision.cases.outcomes import words
from crm_contact_guard.supervision.cases.showing import View, view_of
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.viewing.cases import case_view, letter_view

#: Number of cases listed, and of pieces of evidence shown with their messages.
MOST, MOST_SHOWN = 100, 12


@dataclass(frozen=True)
class Row:
    """A case in the list, with the number of tasks that are not done and the date of the next one."""

    view: View
    open_tasks: int
    due_at: datetime | None
    late: bool


@dataclass(frozen=True)
class CasesPage(Shown):
    """``others``: cases that the viewer may join."""

    template = "cases/list.html"

    rows: Sequence[Row]
    others: Sequence[Case]
    status: str
    sort: str
    statuses: Sequence[tuple[str, str | Promise]]
    sorts: Sequence[tuple[str, str | Promise]]


@dataclass(frozen=True)
class Piece:
    """A piece of evidence: its title and the messages around it."""

    title: str
    lines: Sequence[Line]
    conversation_id: UUID
    #: The message to which the link to the conversation leads.
    around: str


@dataclass(frozen=True)
class Plan:
    """A pay cut in yen: the average wage of a day, the limits, and what is cut in each period."""

    average: int
    per_incident: int
    instalments: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Step:
    """A form with its name in the address. ``open``: whether it was rejected or is the next thing to do."""

    name: str
    form: StepForm
    open: bool

    @property
    def title(self) -> str:
        return str(self.form.title)

    @property
    def hint(self) -> str:
        return str(self.form.hint)

    @property
    def is_bound(self) -> bool:
        return self.form.is_bound

    @property
    def errors(self) -> list[str]:
        """What is wrong with the form as a whole."""
        return [str(error) for error in self.form.non_field_errors()]

    @property
    def fields(self) -> list[BoundField]:
        """The fields of the form, without the figures of a pay cut."""
        return self.form.plain_fields

    @property
    def pay_fields(self) -> list[BoundField]:
        """The figures of a pay cut; empty where none can be chosen."""
        return self.form.pay_fields


@dataclass(frozen=True)
class CasePage(Shown):
    template = "cases/detail.html"

    view: View
    case: Case
    outcome: str
    plan: Plan | None
    pieces: Sequence[Piece]
    #: Number of pieces of evidence that are not shown.
    more: int
    course: Sequence[Mark]
    letters: Sequence[CaseLetter]
    tasks: Sequence[CaseTask]
    participants: Sequence[CaseParticipant]
    #: The steps that move the case on, and the others.
    main: Sequence[Step]
    further: Sequence[Step]
    now: datetime
    may_remove: bool
    may_finish: bool
    error: str = ""


@dataclass(frozen=True)
class LetterPage(Shown):
    template = "cases/letter.html"

    case: Case
    letter: CaseLetter


_MAIN = ("state", "appeal", "investigate", "tell", "hear", "approve", "decide", "answer", "propose", "close")


@page()
def cases(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List the viewer's cases, and for compliance officers those that they may join."""
    if viewer.role == Role.AUDITOR:
        raise NotPermitted(_("Cases are for their participants."))
    closed, sort = request.GET.get("status") == "closed", request.GET.get("sort", "")
    wanted = Q(state=State.CLOSED) if closed else ~Q(state=State.CLOSED)
    if sort in Sort.values:
        wanted &= Q(sort=sort)
    mine = permissions.cases(viewer).filter(wanted).values("pk")
    waiting = Q(tasks__done_at=None)
    found = (
        Case.objects.filter(pk__in=mine)
        .select_related("concerned", "customer", "team")
        .annotate(
            open_tasks=Count("tasks", filter=waiting & Q(tasks__isnull=False)), due=Min("tasks__due_at", filter=waiting)
        )
        .order_by("-updated_at", "-pk")[:MOST]
    )
    rows = [_row(viewer, case) for case in found]
    others = permissions.joinable_cases(viewer).filter(wanted).select_related("opened_by").order_by("-opened_at")
    shown = CasesPage(
        rows=rows,
        others=list(others[:MOST]),
        status="closed" if closed else "",
        sort=sort if sort in Sort.values else "",
        statuses=[("", _("Running")), ("closed", _("Closed"))],
        sorts=list(Sort.choices),
    )
    return show(request, viewer, shown)


@page()
def case(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one case as the viewer's part allows, and record the view."""
    row = _find(viewer, pk)
    return show(request, viewer, _page(viewer, case_view(viewer, row)))


@page("POST")
def step(request: HttpRequest, viewer: Employee, pk: UUID, name: str) -> HttpResponse:
    """Take a step in a case. If that isn't possible, show the case again with what was typed."""
    kind = FORMS.get(name)
    if kind is None:
        raise Http404
    readable = permissions.joinable_cases(viewer) if name == "join" else permissions.cases(viewer)
    row = get_object_or_404(Case, pk__in=readable.filter(pk=pk).values("pk"))
    form = kind(row, viewer, request.POST)
    error, status = "", 422
    if form.is_valid():
        try:
            form.take()
        except InvalidMessage as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        except NotPossible as refused:
            error, status = str(refused), 409
        else:
            return redirect(reverse("crm_contact_guard:case", args=[pk]) + "#cg-case-steps")
    if name == "join":
        raise NotPermitted(error or _("Say why you take part in this case."))
    return show(request, viewer, _page(viewer, view_of(viewer, _find(viewer, pk)), name, form, error), status=status)


@page()
def letter(request: HttpRequest, viewer: Employee, pk: UUID, letter_pk: UUID) -> HttpResponse:
    """Show a letter for reading and printing."""
    row = _find(viewer, pk)
    return show(request, viewer, LetterPage(case=row, letter=letter_view(viewer, row, letter_pk)))


def _find(viewer: Employee, pk: UUID) -> Case:
    rows = Case.objects.select_related("concerned", "customer", "team", "proposed_by", "approved_by", "decided_by")
    return get_object_or_404(rows, pk__in=permissions.cases(viewer).filter(pk=pk).values("pk"))


def _row(viewer: Employee, case: Case) -> Row:
    view = view_of(viewer, case)
    due, count = (None, 0) if view.is_own else (case.due, case.open_tasks)  # type: ignore[attr-defined]
    return Row(view, count, due, late=due is not None and due <= timezone.now())


def _page(viewer: Employee, view: View, name: str = "", form: StepForm | None = None, error: str = "") -> CasePage:
    evidence, terms = view.evidence(), view.terms
    steps = list(_steps(view, viewer, {name: form} if form is not None else {}))
    return CasePage(
        view=view,
        case=view.case,
        outcome=words(view.outcome),
        plan=Plan(terms["average"], terms["per_incident"], terms["instalments"]) if terms else None,
        pieces=[_piece(one) for one in evidence[:MOST_SHOWN]],
        more=max(0, len(evidence) - MOST_SHOWN),
        course=course(view),
        letters=view.letters(),
        tasks=view.tasks(),
        participants=view.participants(),
        main=[one for one in steps if one.name in _MAIN],
        further=[one for one in steps if one.name not in _MAIN],
        now=timezone.now(),
        may_remove="participant_remove" in view.actions,
        may_finish="task_done" in view.actions,
        error=error or (_told(form) if form is not None and form.is_bound else ""),
    )


def _told(form: StepForm) -> str:
    return " ".join(map(str, form.non_field_errors()))


def _steps(view: View, viewer: Employee, filled: Mapping[str, StepForm]) -> Sequence[Step]:
    possible = {"answer" if action in ("uphold", "revise") else action for action in view.actions}
    hearing = ("propose", "hear") if view.case.heard_at is not None else ("hear", "tell", "propose")
    preferred = ("appeal", "state", "investigate", "approve", "decide", "answer", *hearing, "close")
    opened = set(filled) or {next((name for name in preferred if name in possible), "")}
    return [
        Step(name, filled.get(name) or kind(view.case, viewer), open=name in opened)
        for name, kind in FORMS.items()
        if name in possible and name not in ("task_done", "participant_remove", "join")
    ]


def _piece(one: CaseEvidence) -> Piece:
    alert, talk = one.alert, one.conversation
    if alert is None:
        window = thread.newest(talk, Finding.objects.none())
        return Piece(
            _("Conversation with %(customer)s") % {"customer": talk.customer.name}, window.lines[-5:], talk.pk, ""
        )
    findings = alert.findings.select_related("message").order_by("message__occurred_at", "start")
    messages = [finding.message for finding in findings] or [alert.at_message]
    messages.sort(key=lambda message: (message.occurred_at, message.pk))
    window = thread.around(talk, findings, messages, margin=1)
    return Piece(alert_title(alert), window.lines, talk.pk, str(alert.at_message_id))

"""Exports: ask for one, see how far it is, decide on it, download it; and the state of the record itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from crm_contact_guard.console.exporting.forms import ExportForm
from crm_contact_guard.console.exporting.words import words
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports import checking
from crm_contact_guard.exports.formats import labels
from crm_contact_guard.exports.jobs import handing_out, repeating, requesting, rights
from crm_contact_guard.exports.jobs.counting import Count, count
from crm_contact_guard.exports.jobs.models import ExportJob, ExportSchedule
from crm_contact_guard.record.models import Event, Pending
from crm_contact_guard.sealing import proofs
from crm_contact_guard.sealing.models import Seal, Witnessing

#: Number of exports listed.
MOST = 50


#: Fields of the form that links can fill in.
_GIVEN: Final = ("customer", "case", "employee", "channel", "direction", "first_day", "last_day")


@dataclass(frozen=True)
class Listed:
    """An export, its filter in words and its formats."""

    job: ExportJob
    what: Sequence[str]
    formats: Sequence[str]

    @property
    def percent(self) -> int:
        """How much of the rows is written. The last tenth is for assembling the bundle."""
        return min(99, 90 * self.job.done // self.job.total) if self.job.total else 0


@dataclass(frozen=True)
class Repeated:
    """A repeated export, its filter in words, its formats, and whether the viewer may end it."""

    schedule: ExportSchedule
    what: Sequence[str]
    formats: Sequence[str]
    may_end: bool


@dataclass(frozen=True)
class RecordState:
    """The record itself: how much is sealed, since when, what waits, and who keeps its checkpoints."""

    size: int
    sealed_at: datetime | None
    pending: int
    checkpoint: str
    witnesses: Sequence[Witnessing]
    checked: checking.Result | None


@dataclass(frozen=True)
class CountPart(Shown):
    """The number of rows that the form describes now; None if the form has an error."""

    template = "exports/count.html"

    counted: Count | None


@dataclass(frozen=True)
class ExportsPage(Shown):
    """The form, its count, the exports so far, and the state of the record."""

    template = "exports/list.html"

    form: ExportForm | None
    counted: Count | None
    exports: Sequence[Listed]
    repeated: Sequence[Repeated]
    record: RecordState
    approval: bool


@dataclass(frozen=True)
class ExportPage(Shown):
    """One export."""

    template = "exports/detail.html"

    listed: Listed
    may_decide: bool
    may_cancel: bool
    #: Path of a signed link; empty if the viewer may not download.
    link: str
    downloads: Sequence[tuple[str, datetime]]
    problem: str = ""


@dataclass(frozen=True)
class ProgressPart(ExportPage):
    """How far one export is, and what can be done with it."""

    template = "exports/progress.html"


@page("GET", "POST")
def exports(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the form and the exports so far, or ask for an export."""
    _reader(viewer)
    if request.method == "POST":
        form = ExportForm(viewer, request.POST)
        if form.is_valid():
            try:
                return _asked(viewer, form)
            except InvalidMessage as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
        return _list(request, viewer, form, status=422)
    given = {name: request.GET[name] for name in _GIVEN if name in request.GET}
    return _list(request, viewer, ExportForm(viewer, initial=given) if rights.may_export(viewer) else None)


def _asked(viewer: Employee, form: ExportForm) -> HttpResponse:
    """Ask for the export of a valid form, once or again and again. Raise NotPermitted or InvalidMessage."""
    chosen = form.cleaned_data
    given: dict[str, Any] = {name: chosen[name] for name in ("purpose", "formats", "profile")}
    given |= {"actor": viewer, "filters": form.filters(), "attachments": chosen.get("attachments", False)}
    if chosen["repeat"]:
        repeating.schedule_make(period=chosen["repeat"], **given)
        return redirect("crm_contact_guard:exports")
    return redirect("crm_contact_guard:export", requesting.export_request(**given).pk)


@page("POST")
def export_schedule_end(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """End a repeated export."""
    _reader(viewer)
    get_object_or_404(repeating.schedules(viewer), pk=pk)
    with suppress(NotPossible):  # somebody else has just ended it
        repeating.schedule_end(schedule_id=pk, actor=viewer)
    return redirect("crm_contact_guard:exports")


@page()
def exports_count(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Count what the form describes."""
    return show(request, viewer, CountPart(_counted(viewer, ExportForm(viewer, request.GET))))


@page()
def export(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one export. A request for a fragment gets only its progress."""
    return _detail(request, viewer, pk)


@page()
def export_news(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show how far one export is."""
    return _detail(request, viewer, pk, part=True)


@page("POST")
def export_approve(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Approve an export of somebody else."""
    return _act(request, viewer, pk, lambda: requesting.export_approve(job_id=pk, actor=viewer))


@page("POST")
def export_refuse(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Refuse an export of somebody else with a reason."""
    reason = request.POST.get("reason", "")
    return _act(request, viewer, pk, lambda: requesting.export_refuse(job_id=pk, actor=viewer, reason=reason))


@page("POST")
def export_cancel(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Cancel an unfinished export."""
    return _act(request, viewer, pk, lambda: requesting.export_cancel(job_id=pk, actor=viewer))


@page()
def export_download(request: HttpRequest, viewer: Employee, token: str) -> HttpResponseBase:
    """Hand out a bundle to the person whose link this is, in parts if the browser asks for them."""
    _reader(viewer)
    job_id = handing_out.by_token(token, viewer)
    if job_id is None:
        raise Http404
    try:
        return handing_out.export_download(job_id=job_id, actor=viewer, headers=request.headers)
    except NotPossible:
        raise Http404 from None


@page("POST")
def record_verify(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Have a worker verify the whole record."""
    checking.verification_request(actor=viewer)
    return redirect("crm_contact_guard:exports")


def _reader(viewer: Employee) -> None:
    if not rights.may_read_exports(viewer):
        raise NotPermitted(_("Compliance officers and auditors export the record."))


def _list(request: HttpRequest, viewer: Employee, form: ExportForm | None, *, status: int = 200) -> HttpResponse:
    rows = rights.jobs(viewer).select_related("requested_by").order_by("-requested_at")[:MOST]
    shown = ExportsPage(
        form=form,
        counted=_counted(viewer, form) if form is not None and form.is_bound else None,
        exports=[_listed(job) for job in rows],
        repeated=[
            Repeated(
                schedule=one,
                what=words(json.loads(one.filters), always=_("All messages of the period")),
                formats=labels(one.formats.split(",")),
                may_end=rights.may_end(viewer, one),
            )
            for one in repeating.schedules(viewer).filter(ended_at=None).select_related("made_by").order_by("made_at")
        ],
        record=_record(viewer),
        approval=rights.needs_approval(),
    )
    return show(request, viewer, shown, status=status)


def _counted(viewer: Employee, form: ExportForm) -> Count | None:
    # Only the filters count; the purpose may not be written yet.
    form.fields["purpose"].required = form.fields["profile"].required = False
    return count(viewer=viewer, filters=form.filters()) if form.is_valid() else None


def _detail(
    request: HttpRequest, viewer: Employee, pk: UUID, *, part: bool = False, problem: str = "", status: int = 200
) -> HttpResponse:
    _reader(viewer)
    job = get_object_or_404(rights.jobs(viewer).select_related("requested_by", "decided_by"), pk=pk)
    is_ready = job.state == ExportJob.State.READY and rights.may_download(viewer, job)
    taken = Event.objects.filter(subject_type="export_job", subject_id=str(pk), kind="export.downloaded")
    times = list(taken.order_by("-recorded_at").values_list("actor", "recorded_at")[:20])
    names = {str(key): name for key, name in Employee.objects.filter(tenant=viewer.tenant).values_list("pk", "name")}
    shown = (ProgressPart if part else ExportPage)(
        listed=_listed(job),
        may_decide=job.state == ExportJob.State.WAITING and rights.may_decide(viewer, job),
        may_cancel=job.state in ExportJob.OPEN and rights.may_cancel(viewer, job),
        link=handing_out.link_token(job, viewer) if is_ready else "",
        downloads=[(names.get(actor, ""), at) for actor, at in times],
        problem=problem,
    )
    return show(request, viewer, shown, status=status)


def _act(request: HttpRequest, viewer: Employee, pk: UUID, act: Callable[[], object]) -> HttpResponse:
    _reader(viewer)
    get_object_or_404(rights.jobs(viewer), pk=pk)
    try:
        act()
    except (InvalidMessage, NotPossible) as error:
        return _detail(request, viewer, pk, problem=str(error), status=409 if isinstance(error, NotPossible) else 422)
    return redirect("crm_contact_guard:export", pk)


def _listed(job: ExportJob) -> Listed:
    return Listed(job, words(json.loads(job.filters)), labels(job.formats.split(",")))


def _record(viewer: Employee) -> RecordState:
    head = proofs.head()
    sealed = Seal.objects.order_by("-size").values_list("sealed_at", flat=True).first()
    return RecordState(
        size=head.size if head is not None else 0,
        sealed_at=sealed,
        pending=Pending.objects.count(),
        checkpoint=head.checkpoint if head is not None else "",
        witnesses=list(Witnessing.objects.order_by("alias")),
        checked=checking.last(viewer.tenant),
    )

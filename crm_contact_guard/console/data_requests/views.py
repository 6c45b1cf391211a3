"""Customers' requests about their own data: view how much is stored, disclose it, erase it, or place a hold on it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from tempfile import TemporaryFile
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.forms import EraseForm, HoldForm, ReleaseForm
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.exports import subject as exports
from crm_contact_guard.hosting.downloads import Download
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.models import Event

#: Maximum number of customers listed. If a search finds more, users are asked to narrow it down.
MOST = 30


@dataclass(frozen=True)
class Act:
    """A recorded action on a customer's data."""

    event: Event
    words: str
    icon: str
    name: str


@dataclass(frozen=True)
class DataRequestsPage(Shown):
    """The search for a customer. ``more``: whether the search found more than the ``most`` customers listed."""

    template = "data_requests.html"

    words: str
    customers: Sequence[Customer]
    more: bool
    most: int = MOST


@dataclass(frozen=True)
class CustomerDataPage(Shown):
    """How much data is stored about one customer, its legal holds and past actions, and the forms for new actions.

    The forms are shown only if ``may_answer`` is true.
    """

    template = "customer_data.html"

    customer: Customer
    kept: exports.Overview
    #: Holds that have not been released.
    standing: Sequence[LegalHold]
    acts: Sequence[Act]
    may_answer: bool
    erase_form: EraseForm
    hold_form: HoldForm
    release_form: ReleaseForm
    #: The hold that ``release_form`` was filled in for.
    releasing: UUID | None
    #: Whether the data has just been erased.
    erased: bool


@page()
def search(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Find customers by part of their name, by the CRM's key or by our own ID, given as ``q``."""
    if not permissions.may_look_at_subjects(viewer):
        raise NotPermitted(_("Customers' requests about their data are answered by compliance officers."))
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    found: list[Customer] = []
    if words:
        wanted = part_of("name", words) | Q(key=words)
        with suppress(ValueError):
            wanted |= Q(pk=UUID(words))
        found = list(permissions.subjects(viewer).filter(wanted).order_by("name", "pk")[: MOST + 1])
    return show(request, viewer, DataRequestsPage(words, found[:MOST], more=len(found) > MOST))


@page()
def customer_data(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show how much data is stored about a customer, the legal holds and past actions.

    Viewers who may answer requests also see the forms.
    """
    customer = _find(viewer, pk)
    return _page(request, viewer, customer, done=request.GET.get("done", ""))


@page("POST")
def disclose(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponseBase:
    """Return all data stored about the customer as a JSON file, and record the disclosure.

    The file is written to disk before it is sent. This limits memory use, and a failure can't result in half a file.
    """
    customer = _answering(viewer, pk)
    with ExitStack() as closing:
        binary = closing.enter_context(TemporaryFile())
        text = TextIOWrapper(binary, encoding="utf-8", newline="\n")
        exports.disclose(customer, text, actor=viewer)
        text.detach()
        binary.seek(0)
        closing.pop_all()  # from here on, the response closes the file
    name = f"customer-{customer.pk}.json"
    return Download(binary, as_attachment=True, filename=name, content_type="application/json")


@page("POST")
def erase(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Erase all of the customer's data that isn't under a legal hold. Requires a reason and a ticked confirmation."""
    customer = _answering(viewer, pk)
    form = EraseForm(request.POST, prefix="erase")
    if not form.is_valid():
        return _page(request, viewer, customer, erase_form=form, status=422)
    exports.erase(customer, reason=form.cleaned_data["reason"], actor=viewer)
    return redirect(_address(customer) + "?done=erased")


@page("POST")
def place(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Place a legal hold on all data stored about the customer."""
    customer = _answering(viewer, pk)
    form = HoldForm(request.POST, prefix="hold")
    if not form.is_valid():
        return _page(request, viewer, customer, hold_form=form, status=422)
    hold_place(**form.cleaned_data, placed_by=viewer, tenant=customer.tenant, customer=customer)
    return redirect(_address(customer) + "#cg-holds")


@page("POST")
def release(request: HttpRequest, viewer: Employee, pk: UUID, hold_pk: UUID) -> HttpResponse:
    """Release a hold on the customer's data. Requires a reason. Releasing a hold twice is harmless."""
    customer = _answering(viewer, pk)
    hold = get_object_or_404(LegalHold, pk=hold_pk, customer=customer, tenant=customer.tenant)
    form = ReleaseForm(request.POST, prefix="release")
    if not form.is_valid():
        return _page(request, viewer, customer, release_form=form, releasing=hold.pk, status=422)
    hold_release(hold=hold, reason=form.cleaned_data["reason"], released_by=viewer)
    return redirect(_address(customer) + "#cg-holds")


def _find(viewer: Employee, pk: UUID) -> Customer:
    if not permissions.may_look_at_subjects(viewer):
        raise NotPermitted(_("Customers' requests about their data are answered by compliance officers."))
    return get_object_or_404(permissions.subjects(viewer), pk=pk)


def _answering(viewer: Employee, pk: UUID) -> Customer:
    customer = _find(viewer, pk)
    if not permissions.may_answer_subjects(viewer):
        raise NotPermitted(_("Auditors read and export; they decide nothing."))
    return customer


def _address(customer: Customer) -> str:
    return reverse("crm_contact_guard:customer_data", args=[customer.pk])


def _page(
    request: HttpRequest,
    viewer: Employee,
    customer: Customer,
    *,
    erase_form: EraseForm | None = None,
    hold_form: HoldForm | None = None,
    release_form: ReleaseForm | None = None,
    releasing: UUID | None = None,
    done: str = "",
    status: int = 200,
) -> HttpResponse:
    holds = list(LegalHold.objects.filter(customer=customer).order_by("released_at", "-created_at"))
    acts = _acts(customer, holds)
    shown = CustomerDataPage(
        customer=customer,
        kept=exports.overview(customer),
        standing=[hold for hold in holds if hold.released_at is None],
        acts=acts,
        may_answer=permissions.may_answer_subjects(viewer),
        erase_form=erase_form or EraseForm(prefix="erase"),
        hold_form=hold_form or HoldForm(prefix="hold"),
        release_form=release_form or ReleaseForm(prefix="release"),
        releasing=releasing,
        # Report the erasure only if the record confirms it, since anyone can enter the URL.
        erased=done == "erased" and any(act.event.kind == "subject.erased" for act in acts),
    )
    return show(request, viewer, shown, status=status)


def _acts(customer: Customer, holds: list[LegalHold]) -> list[Act]:
    """Return the latest 100 actions on the customer's data, newest first."""
    about = Q(subject_type="customer", subject_id=str(customer.pk), kind__startswith="subject.")
    about |= Q(subject_type="hold", subject_id__in=[str(hold.pk) for hold in holds])
    events = list(Event.objects.filter(about).order_by("-recorded_at", "-id")[:100])
    actors = {event.actor for event in events if event.actor_type == Event.ActorType.EMPLOYEE}
    names = {str(person.pk): person.name for person in Employee.objects.filter(pk__in=actors)}
    words = {
        "subject.disclosed": (_("Disclosed"), "download"),
        "subject.erased": (_("Erased"), "trash-2"),
        "hold.placed": (_("Hold placed"), "lock"),
        "hold.released": (_("Hold released"), "key-round"),
    }
    return [
        Act(event, *words.get(event.kind, (event.kind, "circle-dot")), names.get(event.actor, _("On the command line")))
        for event in events
    ]

"""Consultations: the list, the request for help, and one consultation with its course and its forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.consulting.detail import consultation_page, find
from crm_contact_guard.console.consulting.forms import CloseForm, OpenForm, ReplyForm
from crm_contact_guard.console.conversation.line import Line, lines
from crm_contact_guard.console.conversation.talk import find as find_talk
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Conversation, Direction, Message
from crm_contact_guard.supervision.consulting.consultations import consultation_close, consultation_reply
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.routing import addressee
from crm_contact_guard.viewing.conversations import seen

#: Number of closed consultations listed.
CLOSED = 50
#: Number of messages offered as evidence.
OFFERED = 12


@dataclass(frozen=True)
class ConsultationsPage(Shown):
    """``own``: those of the viewer; ``others``: those that the viewer looks after. ``closed``: the newest of both."""

    template = "consulting/list.html"

    own: Sequence[Consultation]
    others: Sequence[Consultation]
    closed: Sequence[Consultation]


@dataclass(frozen=True)
class Offered:
    """A message that can be chosen as evidence."""

    line: Line
    chosen: bool


@dataclass(frozen=True)
class NewConsultationPage(Shown):
    """The request for help. ``own``: the viewer asks; otherwise a supervisor opens it for the employee."""

    template = "consulting/new.html"

    conversation: Conversation
    offered: Sequence[Offered]
    form: OpenForm
    own: bool
    #: Who will be asked, unless the employee chooses compliance.
    asked: Employee | None
    error: str = ""


@page()
def consultations(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List the viewer's own consultations, and those that the viewer looks after."""
    if viewer.role == Role.AUDITOR:
        raise NotPermitted(_("Consultations are between employees and whoever helps them."))
    rows = permissions.consultations(viewer).select_related("conversation__customer", "employee", "addressee")
    waiting = rows.filter(status=Consultation.Status.OPEN)
    shown = ConsultationsPage(
        own=list(waiting.filter(employee=viewer).order_by("-updated_at")),
        others=list(waiting.exclude(employee=viewer).order_by(F("follow_up_at").asc(nulls_last=True), "opened_at")),
        closed=list(rows.filter(status=Consultation.Status.CLOSED).order_by("-closed_at")[:CLOSED]),
    )
    return show(request, viewer, shown)


@page("GET", "HEAD", "POST")
def new(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show the request for help about a conversation, with the message named in the URL chosen, or send it."""
    row = find_talk(viewer, pk)
    if not permissions.may_consult(viewer, row):
        raise NotPermitted(_("You can't ask for help about this conversation."))
    if request.method != "POST":
        seen(viewer, row, "consultation")
        return show(request, viewer, _new_page(viewer, row, [request.GET.get("message", "")], OpenForm()))
    form, chosen = OpenForm(request.POST), request.POST.getlist("message")
    if form.is_valid():
        try:
            made = consultation_open(conversation=row, actor=viewer, messages=_keys(chosen), **form.cleaned_data)
        except InvalidMessage as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            return redirect("crm_contact_guard:consultation", made.pk)
    return show(request, viewer, _new_page(viewer, row, chosen, form), status=422)


@page()
def consultation(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one consultation to those who have a part in it."""
    row = find(viewer, pk)
    if permissions.conversations(viewer).filter(pk=row.conversation_id).exists():
        seen(viewer, row.conversation, "consultation", str(row.pk))
    return show(request, viewer, consultation_page(viewer, row))


@page("POST")
def reply(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Add a reply or set a date. If that fails, show the page again with what was typed."""
    row, form = find(viewer, pk), ReplyForm(request.POST)
    if form.is_valid():
        try:
            consultation_reply(
                consultation_id=row.pk,
                actor=viewer,
                text=form.cleaned_data["text"],
                follow_up_at=form.follow_up_at(),
            )
        except InvalidMessage as error:
            form.add_error("follow_up_on" if error.field == "follow_up_at" else "text", str(error))
        else:
            return redirect("crm_contact_guard:consultation", pk)
    return show(request, viewer, consultation_page(viewer, row, reply_form=form), status=422)


@page("POST")
def close(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Close the consultation with a result. If that fails, show the page again with what was typed."""
    row, form, status = find(viewer, pk), CloseForm(request.POST), 422
    if form.is_valid():
        try:
            consultation_close(consultation_id=row.pk, actor=viewer, **form.cleaned_data)
        except InvalidMessage as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        except AlreadyClosed as error:
            shown = consultation_page(viewer, find(viewer, pk), close_form=form, error=str(error))
            return show(request, viewer, shown, status=409)
        else:
            return redirect("crm_contact_guard:consultation", pk)
    return show(request, viewer, consultation_page(viewer, row, close_form=form), status=status)


def _new_page(viewer: Employee, row: Conversation, chosen: Sequence[str], form: OpenForm) -> NewConsultationPage:
    rows = Message.objects.filter(conversation=row).select_related("delivery", "employee", "customer")
    newest = list(rows.exclude(direction=Direction.OUTBOUND).order_by("-occurred_at", "-id")[:OFFERED])
    named = rows.filter(pk__in=_keys(chosen)).exclude(pk__in=[message.pk for message in newest])
    offered = sorted([*newest, *named], key=lambda message: (message.occurred_at, message.pk))
    own = row.employee_id in (None, viewer.pk)
    return NewConsultationPage(
        conversation=row,
        offered=[
            Offered(line, str(line.message.pk) in chosen) for line in lines(offered, permissions.findings(viewer))
        ],
        form=form,
        own=own,
        asked=addressee(row) if own else None,
    )


def _keys(texts: Sequence[str]) -> list[UUID]:
    """Return the UUIDs among the texts. Anything else in a form or an address is ignored."""
    keys = []
    for text in texts:
        try:
            keys.append(UUID(text))
        except ValueError:
            continue
    return keys

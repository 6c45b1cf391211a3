"""Views for one conversation: its page, polling for changes, and the employee's actions in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from crm_contact_guard import gateway, permissions
from crm_contact_guard.conf import settings
from crm_contact_guard.console.conversation import thread
from crm_contact_guard.console.conversation.advice import Advice, look
from crm_contact_guard.console.conversation.composer import Composer, composer_for
from crm_contact_guard.console.conversation.composer import send as composer_send
from crm_contact_guard.console.conversation.line import Line
from crm_contact_guard.console.conversation.talk import OpenState, Talk, find, open_state, talk, window_of
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.console.conversation.typed import Typed
from crm_contact_guard.console.forms import NoteForm
from crm_contact_guard.console.page import Shown, is_htmx, page, show
from crm_contact_guard.conversations import typing_marks
from crm_contact_guard.conversations.desk import presence
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting.languages import spoken
from crm_contact_guard.record.access import record_unmask, unmask_approval
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.watching.unmasking import unmask_ask
from crm_contact_guard.viewing.conversations import seen, still_seen


@dataclass(frozen=True)
class ConversationPage(Shown):
    template = "conversation.html"

    talk: Talk


@dataclass(frozen=True)
class EarlierMessages(Shown):
    """Messages to insert into an open page above its first message."""

    template = "parts/earlier.html"

    conversation: Conversation
    window: Window


@dataclass(frozen=True)
class ThreadNews(Shown):
    """The current contents of an open page."""

    template = "parts/thread_news.html"

    conversation: Conversation
    lines: Sequence[Line]
    state: OpenState

    @property
    def refusal_language(self) -> str:
        return spoken(self.conversation.customer.language)


@dataclass(frozen=True)
class Look(Shown):
    """Advice about a text before it is sent; None if there is none."""

    template = "parts/advice.html"

    advice: Advice | None


@page()
def conversation(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show the conversation to everyone who may read it, with a composer for those who may answer in it."""
    row = find(viewer, pk)
    if is_htmx(request) and request.GET.get("before"):
        still_seen(viewer, row, "conversation")
        window, _place = window_of(request, viewer, row)
        return show(request, viewer, EarlierMessages(row, window))
    seen(viewer, row, "conversation")
    return show(request, viewer, ConversationPage(talk(request, viewer, row)))


@page()
def news(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Return the messages of an open page, beginning with ``from``, or 204 if version ``v`` is still current."""
    row = find(viewer, pk)
    start = thread.message_of(row, request.GET.get("from"))
    others: Sequence[presence.Other] = ()
    if permissions.may_write(viewer, row):
        if "typing" in request.GET:
            typing_marks.employee_types(row)
        presence.looks(row, viewer, typing="writing" in request.GET)
        others = presence.others(row, viewer)
    state = open_state(row, start, others)
    if request.GET.get("v") == state.version:
        return HttpResponse(status=204)
    still_seen(viewer, row, "conversation")
    lines = thread.following(row, permissions.findings(viewer), start=start)
    return show(request, viewer, ThreadNews(row, lines, state))


@page("POST")
def preview(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Return advice about a text before it is sent; empty if there is none."""
    row = find(viewer, pk)
    if not permissions.may_write(viewer, row):
        raise NotPermitted(_("You can't write in this conversation."))
    typed = Typed.read(request.POST)
    advice = look(viewer, typed, row) if len(typed.text) <= settings.MAX_TEXT_LENGTH else None
    return show(request, viewer, Look(advice))


@page("POST")
def send(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Send a message, or return the composer with the text and the reason why it wasn't sent."""
    row = find(viewer, pk)
    back = back_of(request, row)
    typed = Typed.read(request.POST)
    composer = composer_for(viewer, row, typed=typed, back=back)
    if "choose" in request.POST:
        # The employee only chose another channel or text block, so nothing is sent yet.
        return _composed(request, viewer, row, composer, status=200)
    if request.POST.get("use"):
        # An approved wording takes the place of the text; it is sent only when the employee says so.
        worded = replace(typed, text=request.POST["use"][: settings.MAX_TEXT_LENGTH], template="")
        return _composed(request, viewer, row, composer_for(viewer, row, typed=worded, back=back), status=200)
    composer = composer_send(viewer, composer, request.FILES.getlist("files"))
    if composer.sent:
        typing_marks.employee_wrote(row)
        presence.stopped_typing(row, viewer)
    if composer.sent and not is_htmx(request):
        return redirect(f"{back}{'&' if '?' in back else '?'}sent={row.pk}#cg-latest")
    return _composed(request, viewer, row, composer, status=200 if composer.sent else 422)


def _composed(
    request: HttpRequest, viewer: Employee, row: Conversation, composer: Composer, *, status: int
) -> HttpResponse:
    if is_htmx(request):
        # Not an error: htmx swaps the form in, and the browser's console stays quiet.
        response = show(request, viewer, composer)
        if composer.sent:
            response["HX-Trigger"] = "cg-sent"
        return response
    return show(request, viewer, ConversationPage(talk(request, viewer, row, composer=composer)), status=status)


@page("POST")
def unmask(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show the page with the customer's full addresses, if the viewer may see them, and record the access and why.

    If a second person must approve first, ask for it.
    """
    row = find(viewer, pk)
    reason = request.POST.get("reason", "")
    try:
        if settings.UNMASK_APPROVAL and unmask_approval(viewer, row) is None:
            unmask_ask(conversation=row, actor=viewer, reason=reason)
            return show(request, viewer, ConversationPage(replace(talk(request, viewer, row), unmask_asked=True)))
        record_unmask(viewer=viewer, conversation=row, reason=reason)
    except InvalidMessage as error:
        refused = replace(talk(request, viewer, row), unmask_error=str(error), unmask_reason=reason)
        return show(request, viewer, ConversationPage(refused), status=422)
    return show(request, viewer, ConversationPage(talk(request, viewer, row, unmasked=True)))


@page("POST")
def note(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Record a note about a phone call or a meeting."""
    row = find(viewer, pk)
    form = NoteForm(request.POST)
    if form.is_valid():
        try:
            gateway.note(
                actor=viewer,
                conversation=row,
                kind=form.cleaned_data["kind"],
                text=form.cleaned_data["text"],
                occurred_at=form.cleaned_data["occurred_at"],
                details=form.details(),
            )
        except InvalidMessage as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            back = back_of(request, row)
            return redirect(f"{back}{'&' if '?' in back else '?'}noted={row.pk}#cg-latest")
    return show(request, viewer, ConversationPage(talk(request, viewer, row, note=form)), status=422)


def back_of(request: HttpRequest, row: Conversation, otherwise: str = "") -> str:
    """Return the path of the page that the form came from, ours or the host's, if it is on this site.

    Otherwise, return ``otherwise`` or the conversation's page.
    """
    wanted = request.POST.get("back", "").split("#")[0]
    # Accept only paths, since "redirect" would interpret a bare word as the name of a view.
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None):
        return wanted
    return otherwise or reverse("crm_contact_guard:conversation", args=[row.pk])

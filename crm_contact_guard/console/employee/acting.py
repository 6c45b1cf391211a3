"""Actions on a conversation of the inbox: done, put aside, hand over. The list follows, filtered as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation.talk import find
from crm_contact_guard.console.employee import filtering
from crm_contact_guard.console.page import page
from crm_contact_guard.conversations.desk import drafts, handing_over, shelving
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Conversation

#: When a snooze chosen for a day ends, in the employee's time zone.
MORNING = time(9)


@page("POST")
def done(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Mark the conversation as done."""
    row, following = _row(request, viewer, pk)
    shelving.conversation_done(conversation=row, actor=viewer)
    return _back(request, row, "done", following)


@page("POST")
def snooze(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Put the conversation aside until a local time, given as ``until`` or typed as ``until_then``."""
    row, following = _row(request, viewer, pk)
    try:
        until = _time(request.POST.get("until_then") or request.POST.get("until", ""))
        shelving.conversation_snooze(conversation=row, actor=viewer, until=until)
    except InvalidMessage:
        return _again(request, pk, did="no_time")
    return _back(request, row, "snoozed", following)


def _taking_back(act: Callable[..., object]) -> Callable[..., HttpResponseBase]:
    """Return a view that calls ``act``, which takes back ``done`` or ``snooze``, and shows the conversation again."""

    @page("POST")
    def view(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
        row, _following = _row(request, viewer, pk)
        act(conversation=row, actor=viewer)
        return _again(request, pk)

    return view


undone = _taking_back(shelving.conversation_undone)
wake = _taking_back(shelving.conversation_wake)


@page("POST")
def hand_over(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Hand the conversation to the colleague ``to``."""
    row, following = _row(request, viewer, pk)
    try:
        to = Employee.objects.filter(pk=UUID(request.POST.get("to", "")), tenant=viewer.tenant).first()
    except ValueError:
        to = None
    try:
        if to is None:
            raise InvalidMessage(_("Choose a colleague."), field="to")
        handing_over.conversation_hand_over(conversation=row, actor=viewer, to=to, words=request.POST.get("words", ""))
    except InvalidMessage:
        return _again(request, pk, did="no_colleague")
    return _back(request, row, "handed", following)


@page("POST")
def draft(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Keep what the employee has typed so far. The page sends it while they type."""
    drafts.draft_keep(conversation=find(viewer, pk), actor=viewer, text=request.POST.get("text", ""))
    return HttpResponse(status=204)


def choices(now: datetime) -> list[tuple[str, str]]:
    """Return the offered times for putting a conversation aside: the time, and its words."""
    local = timezone.localtime(now)
    days = ((1, _("Tomorrow")), (7 - local.weekday() or 7, _("Next Monday")))
    mornings = [(datetime.combine(local.date() + timedelta(days=days_on), MORNING), words) for days_on, words in days]
    soon = local.replace(tzinfo=None, second=0, microsecond=0) + timedelta(hours=3)
    offered = [(soon, _("In three hours")), *mornings]
    return [(at.isoformat(timespec="minutes"), words) for at, words in offered]


def _row(request: HttpRequest, viewer: Employee, pk: UUID) -> tuple[Conversation, UUID | None]:
    row = find(viewer, pk)
    if not permissions.may_write(viewer, row):
        raise NotPermitted(_("You can't write in this conversation."))
    return row, filtering.after(viewer, _filters(request), pk, timezone.now())


def _filters(request: HttpRequest) -> filtering.Filters:
    wanted = HttpRequest()
    wanted.GET = QueryDict(request.POST.get("filters", "")[:400].lstrip("?"))
    return filtering.Filters.read(wanted)


def _time(text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text[:40])
    except ValueError:
        raise InvalidMessage(_("Give the time as date and hour."), field="until") from None
    return given if timezone.is_aware(given) else timezone.make_aware(given)


def _with(query: str, **more: str) -> str:
    return "?" + urlencode([*parse_qsl(query.lstrip("?")), *more.items()])


def _again(request: HttpRequest, pk: UUID, **more: str) -> HttpResponse:
    """Show the conversation again, with ``more`` in the query string."""
    query = _filters(request).query
    page = reverse("crm_contact_guard:inbox_conversation", args=[pk])
    return redirect(page + (_with(query, **more) if more else query))


def _back(request: HttpRequest, row: Conversation, did: str, following: UUID | None) -> HttpResponse:
    """Show the list, which says what was done, and offers the conversation that followed."""
    query = _with(_filters(request).query, did=did, of=str(row.pk), **({"next": str(following)} if following else {}))
    return redirect(reverse("crm_contact_guard:inbox") + query)

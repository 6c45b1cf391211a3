"""The view behind the button that calls a customer."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from crm_contact_guard import calling
from crm_contact_guard.console.conversation.talk import CallButtons, find, talk
from crm_contact_guard.console.conversation.views import ConversationPage, back_of
from crm_contact_guard.console.page import is_htmx, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text


# The request to call must be recorded before the carrier is contacted, even if the host wraps requests in transactions.
@database.outside_transactions
@page("POST")
def call(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Call the viewer's phone, then the customer's. Show whether the call was started or why it wasn't."""
    row = find(viewer, pk)
    back, error = back_of(request, row), ""
    channel, key = request.POST.get("channel", ""), canonical_text(request.POST.get("key", ""))[:64]
    try:
        calling.call(actor=viewer, conversation=row, channel=channel, key=key)
    except InvalidMessage as refused:
        error = str(refused)
    if not error and not is_htmx(request):
        return redirect(f"{back}{'&' if '?' in back else '?'}called={row.pk}")
    buttons = CallButtons(
        conversation=row, lines=calling.lines(row), key=uuid4().hex, back=back, called=not error, error=error
    )
    if is_htmx(request):
        return show(request, viewer, buttons)
    return show(request, viewer, ConversationPage(talk(request, viewer, row, back=back, call=buttons)), status=422)

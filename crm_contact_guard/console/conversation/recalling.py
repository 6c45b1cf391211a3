"""The view that takes back a message before it goes out."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation.composer import composer_for
from crm_contact_guard.console.conversation.talk import find, talk
from crm_contact_guard.console.conversation.typed import Typed
from crm_contact_guard.console.conversation.views import ConversationPage, back_of
from crm_contact_guard.console.page import page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPossible
from crm_contact_guard.sending import recalling


@page("POST")
def recall(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Take a message back. With ``change``, return its text to the composer. Say so if it has gone out already."""
    message = get_object_or_404(permissions.messages(viewer), pk=pk)
    row = find(viewer, message.conversation_id)
    back = back_of(request, row)
    try:
        recalling.recall(actor=viewer, message_id=message.pk)
    except NotPossible as error:
        composer = replace(composer_for(viewer, row, back=back), error=str(error))
        return show(request, viewer, ConversationPage(talk(request, viewer, row, composer=composer)), status=409)
    if "change" not in request.POST:
        return redirect(f"{back}#cg-latest")
    typed = Typed(
        text=message.text or "", channel=message.channel, subject=message.subject or "", replaces=str(message.pk)
    )
    composer = composer_for(viewer, row, typed=typed, back=back)
    return show(request, viewer, ConversationPage(talk(request, viewer, row, composer=composer)))

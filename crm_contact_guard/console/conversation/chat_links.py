"""Create and revoke links to the web chat."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.conf import settings
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.talk import chat_links, find, talk
from crm_contact_guard.console.conversation.views import ConversationPage, back_of
from crm_contact_guard.console.page import is_htmx, page, show
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted


@page("POST")
def create(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Create a web chat link. Only this response shows the link, since only the hash of its token is stored."""
    row = find(viewer, pk)
    if not permissions.may_write(viewer, row) or channel_choices.webchat() is None:
        raise NotPermitted(_("You can't invite to a web chat here."))
    _link, token = chat_link_create(conversation=row, created_by=viewer)
    path = reverse("crm_contact_guard:chat_enter", args=[token])
    public = str(settings.PUBLIC_URL).rstrip("/")
    address = f"{public}{path}" if public else request.build_absolute_uri(path)
    if is_htmx(request):
        return show(request, viewer, chat_links(row, may_write=True, new_address=address))
    return show(request, viewer, ConversationPage(talk(request, viewer, row, new_chat_link=address)))


@page("POST")
def revoke(request: HttpRequest, viewer: Employee, pk: UUID, link_pk: UUID) -> HttpResponse:
    """Revoke a web chat link."""
    row = find(viewer, pk)
    chat_link_revoke(link=get_object_or_404(ChatLink, pk=link_pk, conversation=row), revoked_by=viewer)
    if is_htmx(request):
        return show(request, viewer, chat_links(row, may_write=True))
    return redirect(back_of(request, row))

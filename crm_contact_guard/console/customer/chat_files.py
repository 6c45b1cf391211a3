"""Files in the web chat. Customers can open only the files of their own chat, with the same cookie as the page."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.customer.chat_entry import COOKIE, public
from crm_contact_guard.console.customer.chat_thread import shown_messages
from crm_contact_guard.conversations.chat_links import chat_link_find
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.files.responses import hand_out


@public("GET", "HEAD")
def chat_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Return a file belonging to a message that the link's chat page may show. Raise Http404 for any other file."""
    token = request.COOKIES.get(COOKIE, "")
    link = chat_link_find(token) if token else None
    channel = channel_choices.webchat()
    if link is None or channel is None:
        raise Http404
    rows = Attachment.objects.filter(
        message__in=shown_messages(link.conversation, channel.alias), kind=Attachment.Kind.ATTACHMENT
    )
    return hand_out(get_object_or_404(rows.exclude(stored_as=""), pk=pk))

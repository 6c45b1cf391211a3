"""The customer's side of the web chat: a page that customers open by a link, usually on a phone.

When the link is first opened, its token is exchanged for an HttpOnly cookie, so that the token never appears in a later
URL or in a referrer. Customers don't log in. The page doesn't rely on the host's CSRF middleware: its form carries a
value derived from the token in the cookie, which another site can neither read nor generate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import Channel, FileIn, InboundMessage
from crm_contact_guard.conf import settings
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.customer.chat_entry import COOKIE, form_token, public
from crm_contact_guard.console.customer.chat_language import language_of, others, remember
from crm_contact_guard.console.customer.chat_limits import fault
from crm_contact_guard.console.customer.chat_pages import (
    ChatClosed,
    ChatComposer,
    ChatEnded,
    ChatNews,
    ChatPage,
    ChatTalk,
)
from crm_contact_guard.console.customer.chat_thread import chat_lines, chat_version, hand_out, last_read
from crm_contact_guard.console.page import Shown, is_htmx
from crm_contact_guard.console.times import clock
from crm_contact_guard.conversations import typing_marks
from crm_contact_guard.conversations.chat_links import chat_link_find
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.conversations.recording_notice import recording_notice
from crm_contact_guard.conversations.restrictions.standing import hides_name, name_shown
from crm_contact_guard.directory.addresses import mask
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import uploads
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.closing import ending, opening, urgent
from crm_contact_guard.record.models import Direction

#: Maximum size in bytes of a posted chat message without its files.
MAX_BODY = 256 * 1024


@public("GET", "HEAD")
def chat(request: HttpRequest, token: str) -> HttpResponse:
    """Exchange the link's token for a cookie and redirect to the chat page, whose URL contains no secret."""
    link = chat_link_find(token)
    if link is None:
        return _closed(request)
    response = redirect("crm_contact_guard:chat_page")
    response.set_cookie(
        COOKIE,
        token,
        expires=link.expires_at,
        path=reverse("crm_contact_guard:chat_page"),
        secure=request.is_secure(),
        httponly=True,
        # Not "Strict", because the customer comes from an email or another app, and the first request needs the cookie.
        samesite="Lax",
    )
    return response


@public("GET", "HEAD", "POST")
def chat_page(request: HttpRequest) -> HttpResponse:
    """Show the chat, and receive the customer's message on POST."""
    token = request.COOKIES.get(COOKIE, "")
    link = chat_link_find(token) if token else None
    channel = channel_choices.webchat()
    length = request.headers.get("Content-Length") or "0"
    # Check the size before reading the body, so that nobody can upload files without a link.
    most = MAX_BODY + (channel.max_files * int(settings.MAX_FILE_BYTES) if link is not None and channel else 0)
    if not length.isdecimal() or int(length) > most:
        return HttpResponse(_("This message is too large."), status=413, content_type="text/plain; charset=utf-8")
    if link is None or channel is None:
        return _closed(request)
    if request.method != "POST" and "lang" in request.GET:
        response = redirect("crm_contact_guard:chat_page")
        remember(response, request, request.GET["lang"])
        return response
    with _speaking(request, link):
        if request.method == "POST" and "end" in request.POST:
            return _end(request, link, token, channel)
        if request.method == "POST":
            return _post(request, link, token, channel)
        hand_out(link.conversation, channel.alias)
        _mark_seen(link)
        return _page(request, link, token, channel)


@public("GET", "HEAD")
def chat_news(request: HttpRequest) -> HttpResponse:
    """Return the current contents of the open page.

    The status is 204 if they haven't changed since version ``v``, and 410 if the link is no longer valid.
    """
    token = request.COOKIES.get(COOKIE, "")
    link = chat_link_find(token) if token else None
    channel = channel_choices.webchat()
    if link is None or channel is None:
        return HttpResponse(status=410)
    with _speaking(request, link):
        hand_out(link.conversation, channel.alias)
        if "typing" in request.GET:
            typing_marks.customer_types(link)
        if request.GET.get("v") == chat_version(link, channel.alias):
            return HttpResponse(status=204)
        _mark_seen(link)
        return _show(request, ChatNews(_talk(link, channel)))


def _post(request: HttpRequest, link: ChatLink, token: str, channel: Channel) -> HttpResponse:
    text = request.POST.get("text", "").replace("\r\n", "\n")
    key = request.POST.get("key", "")[:64] or uuid4().hex
    error, status = fault(request, link, token, text, channel)
    attached: list[FileIn] = []
    if not error:
        try:
            attached = uploads.read(request.FILES.getlist("files"), channel)
        except InvalidMessage as refused:
            error, status = str(refused), 422
    if not error:
        # The same form sent twice is one message. Going back and changing the text or a file makes it a new message.
        held = hashlib.sha256(text.encode("utf-8", "replace"))
        for file in attached:
            held.update(hashlib.sha256(file.content).digest())
        details = {urgent.URGENT: urgent.BUTTON} if urgent.has_button() and request.POST.get("urgent") == "1" else {}
        held.update(b"urgent" if details else b"")
        digest = held.hexdigest()[:16]
        gateway.receive(
            InboundMessage(
                channel=channel.alias,
                event_id=f"{link.conversation_id}.{key}.{digest}",
                from_address="",
                from_name=link.conversation.customer.name,
                text=text,
                occurred_at=timezone.now(),
                reply_tokens=(link.conversation.reply_token,),
                files=tuple(attached),
                details=details,
            )
        )
        _mark_seen(link)
        typing_marks.customer_wrote(link)
        if not is_htmx(request):
            return redirect(reverse("crm_contact_guard:chat_page") + "?sent=1#cg-latest")
        text, key, status = "", uuid4().hex, 200
    if is_htmx(request):
        # Not an error even if refused: htmx swaps the form in, and the browser's console stays quiet.
        response = _show(request, _composer(link, token, channel, key=key, text=text, error=error))
        if not error:
            response["HX-Trigger"] = "cg-sent"
        return response
    return _page(request, link, token, channel, text=text, key=key, error=error, status=status)


def _end(request: HttpRequest, link: ChatLink, token: str, channel: Channel) -> HttpResponse:
    """End the talk, as the customer asks, with a copy by email if they want one."""
    if not constant_time_compare(request.POST.get("form_token", ""), form_token(token)):
        return _closed(request)
    company = settings.company_name
    said = [
        (f"{clock(line.at)} {_('You') if line.message.direction == Direction.INBOUND else company}", line.shown)
        for line in chat_lines(link.conversation, channel.alias)
    ]
    copied = ending.chat_end(link, said, copy=request.POST.get("copy") == "1")
    response = _show(request, ChatEnded(company, copied))
    response.delete_cookie(COOKIE, path=reverse("crm_contact_guard:chat_page"))
    return response


def _page(
    request: HttpRequest,
    link: ChatLink,
    token: str,
    channel: Channel,
    *,
    text: str = "",
    key: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    employee, address = link.conversation.employee, ending.copy_address(link.conversation.customer)
    shown = ChatPage(
        talk=_talk(link, channel),
        composer=_composer(link, token, channel, key=key or uuid4().hex, text=text, error=error),
        notice=recording_notice(),
        answers=name_shown(employee, link.conversation.customer) if employee is not None else "",
        closed=opening.closed(link.conversation, timezone.now()),
        languages=others(),
        copy_to=mask(address.kind, address.value) if address is not None else "",
    )
    return _show(request, shown, status=status)


def _talk(link: ChatLink, channel: Channel) -> ChatTalk:
    lines = chat_lines(link.conversation, channel.alias)
    return ChatTalk(
        chat_link=link,
        company=settings.company_name,
        hides_name=hides_name(link.conversation.customer),
        lines=lines,
        version=chat_version(link, channel.alias),
        typing=typing_marks.employee_is_typing(link),
        read=last_read(link.conversation, lines),
    )


def _composer(link: ChatLink, token: str, channel: Channel, *, key: str, text: str, error: str) -> ChatComposer:
    return ChatComposer(
        chat_link=link,
        takes_files=channel.supports_files,
        key=key,
        form_token=form_token(token),
        urgent=urgent.has_button(),
        text=text,
        error=error,
    )


def _closed(request: HttpRequest) -> HttpResponse:
    return _show(request, ChatClosed(settings.company_name), status=410)


def _show(request: HttpRequest, page: Shown, *, status: int = 200) -> HttpResponse:
    """Render a page without the frame of the staff pages."""
    return render(request, f"crm_contact_guard/{page.template}", {"page": page}, status=status)


@contextmanager
def _speaking(request: HttpRequest, link: ChatLink) -> Iterator[None]:
    """Activate the customer's language and time zone."""
    zone = hours.zone_named(link.conversation.customer.timezone)
    with speaking(language_of(request, link.conversation)), timezone.override(zone):
        yield


def _mark_seen(link: ChatLink) -> None:
    """Store when the customer was last in the chat. Update it at most once a minute, since the page polls often."""
    now = timezone.now()
    if link.last_seen_at is None or now - link.last_seen_at > timedelta(minutes=1):
        ChatLink.objects.filter(pk=link.pk).update(last_seen_at=now)

"""Handing out files of messages: to staff who may read the message, to the customer who sent or got it, to carriers.

Always as a download that no browser runs: a stranger's file is hostile until proven otherwise.
"""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from crm_contact_guard import permissions
from crm_contact_guard.console.downloads import Download
from crm_contact_guard.console.headers import file_policy
from crm_contact_guard.console.page import page
from crm_contact_guard.console.talk import still_seen
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record import access


@page()
def file(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponseBase:
    """A file of a message that the viewer may read. Somebody outside of the conversation leaves a trace."""
    attachment = readable(viewer, str(pk))
    still_seen(viewer, attachment.message.conversation, "file")
    return hand_out(attachment)


def readable(viewer: Employee, pk: str) -> Attachment:
    """The attachment, when the viewer may read it. Raises Http404; NotPermitted for a mail as received, which shows
    raw addresses, and then records the unmasking for those who may."""
    try:
        key = UUID(pk)
    except ValueError:
        raise Http404 from None
    rows = Attachment.objects.select_related("message__conversation").exclude(stored_as="")
    attachment = get_object_or_404(rows.filter(message__in=permissions.messages(viewer)), pk=key)
    if attachment.kind == Attachment.Kind.ORIGINAL:
        if not permissions.may_unmask(viewer):
            raise NotPermitted(_("You may not see unmasked addresses."))
        access.record_unmask(viewer=viewer, conversation=attachment.message.conversation)
    return attachment


@csrf_exempt
@require_safe
def carrier_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """A file that a carrier fetches by its signed link (``files.carrier_link``)."""
    attachment = storage.by_carrier_token(token)
    if attachment is None:
        return HttpResponse("not found", status=404, content_type="text/plain")
    response = hand_out(attachment)
    # Readers' programs load it from pages of their own.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


# Hosts with login-required middleware (Django's own since 5.1) let this view through by this mark.
carrier_file.login_required = False  # type: ignore[attr-defined]


def hand_out(attachment: Attachment) -> Download:
    """The file with headers that keep browsers from doing anything with it but saving it, or showing a picture."""
    try:
        stream = storage.backend().open(attachment.stored_as)
    except FileNotFoundError as error:
        raise Http404 from error
    response = Download(
        stream, as_attachment=True, filename=attachment.name, content_type=_served_as(attachment.content_type)
    )
    response["Content-Length"] = str(attachment.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = file_policy()
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    patch_cache_control(response, private=True, no_store=True)
    return response


def _served_as(content_type: str) -> str:
    """Types that no browser runs keep their name; whatever else a stranger claims is just bytes."""
    harmless = content_type in ("application/pdf", "text/plain") or (
        content_type.startswith(("image/", "audio/", "video/")) and "xml" not in content_type
    )
    if content_type == "text/plain":
        return "text/plain; charset=utf-8"
    return content_type if harmless else "application/octet-stream"

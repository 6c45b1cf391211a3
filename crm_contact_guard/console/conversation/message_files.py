"""Download files belonging to messages, for staff who may read the message and for carriers."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from crm_contact_guard.console.page import Refused, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import storage
from crm_contact_guard.files.responses import hand_out
from crm_contact_guard.viewing.files import file_open


@page()
def file(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponseBase:
    """Return a file belonging to a message that the viewer may read. An original email needs ``unmask_reason``."""
    try:
        return hand_out(file_open(viewer, str(pk), "file", request.GET.get("unmask_reason", "")))
    except InvalidMessage as error:
        return show(request, viewer, Refused("row", str(error)), status=422)


@csrf_exempt
@require_safe
def carrier_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Return a file to a carrier that requests it by a signed link (``files.carrier_link``)."""
    attachment = storage.by_carrier_token(token)
    if attachment is None:
        return HttpResponse("not found", status=404, content_type="text/plain")
    response = hand_out(attachment)
    # Recipients' programs load the file from pages on other origins.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


# Login-required middleware (part of Django since 5.1) lets views with this attribute through.
carrier_file.login_required = False  # type: ignore[attr-defined]

"""Files of messages: for staff who may read the message, and for carriers that fetch them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from crm_contact_guard.console.page import page
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.files import storage
from crm_contact_guard.files.responses import hand_out
from crm_contact_guard.viewing.files import file_open


@page()
def file(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponseBase:
    """A file of a message that the viewer may read."""
    return hand_out(file_open(viewer, str(pk), "file"))


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

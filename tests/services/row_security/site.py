"""The host's pages and its middleware, which answers nobody who brings no organisation."""

from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404
from django.template import engines
from django.urls import include, path

from tests.services.row_security.models import Contact, organisation_context

COOKIE = "organisation"
OPEN = ("/guard/chat/", "/guard/webhooks/", "/guard/health/", "/guard/metrics/")


class OrganisationInToken:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(OPEN):
            return self.get_response(request)
        try:
            organisation = signing.loads(request.COOKIES.get(COOKIE, ""))
        except signing.BadSignature:
            return HttpResponseForbidden("Which organisation?")
        with organisation_context(organisation):
            return self.get_response(request)


def contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = engines["django"].from_string(
        "{% load contact_guard %}<h1>{{ row.name }}</h1>{% contact_guard_panel row %}"
    )
    return HttpResponse(template.render({"row": get_object_or_404(Contact, pk=pk)}, request))


urlpatterns = [path("guard/", include("crm_contact_guard.urls")), path("contacts/<uuid:pk>/", contact)]

"""The host's own pages around the app: login, logout, and the page of a guest with the panel in it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import include, path

from tests.host.models import Client


@login_required
def client(request: HttpRequest, pk: UUID) -> HttpResponse:
    return render(request, "client.html", {"client": get_object_or_404(Client, pk=pk)})


urlpatterns = [
    path("guard/", include("crm_contact_guard.urls")),
    path("clients/<uuid:pk>/", client),
    path("login/", LoginView.as_view(template_name="login.html")),
    path("logout/", LogoutView.as_view(next_page="/login/")),
]

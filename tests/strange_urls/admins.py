"""A site where staff of the admin sign in at one page, and everybody at another."""

from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


class StaffForm:
    """As the admin's: right passwords of people who are not staff are refused."""

    def __init__(self, request: HttpRequest | None = None) -> None: ...

    def confirm_login_allowed(self, user: object) -> None:
        if not getattr(user, "is_staff", False):
            raise ValidationError("staff alone")


class Site:
    login_form = StaffForm

    def login(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse('<input type="password">')


everybody = ([path("", LoginView.as_view(template_name="login.html"), name="login")], "everybody")
urlpatterns = [
    path("guard/", include("crm_contact_guard.urls")),
    path("login/", include(everybody)),
    path("admin/", include(([path("login/", Site().login, name="login")], "admin"))),
]

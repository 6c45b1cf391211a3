"""A site whose pages have any path, given by editors; the staff sign in at one page, and programs at another."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.urls import include, path, re_path


def token(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"detail": "POST your password"}, status=405)


def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse('<form method="post"><input name="email"><input type="password" name="password"></form>')


def page(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse("written") if name == "team/entrance/" else HttpResponseNotFound(f"nobody wrote {name}")


urlpatterns = [
    path("guard/", include("crm_contact_guard.urls")),
    path("manage/", include(([path("login/", form, name="login")], "admin"))),
    path("api/login/", token, name="rest_login"),
    path("backend/login/", form, name="backend_login"),
    re_path(r"^((?:[\w\-]+/)*)$", page),
]

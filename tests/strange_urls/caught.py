"""After pages that editors name, which have any path."""

from django.http import HttpRequest, HttpResponseNotFound
from django.urls import include, path, re_path


def page(request: HttpRequest, name: str) -> HttpResponseNotFound:
    return HttpResponseNotFound(f"nobody wrote {name}")


urlpatterns = [
    re_path(r"^((?:[\w\-]+/)*)$", page),
    path("guard/", include("crm_contact_guard.urls")),
]

"""One login for the staff and one for customers, which is the better named."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Who are you?")


urlpatterns = [path("shop/login/", page, name="login"), path("entrance/", page, name="entrance")]

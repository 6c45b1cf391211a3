"""Middleware as hosts have it, each of which shuts some of our addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import resolve

GetResponse = Callable[[HttpRequest], HttpResponse]


def known_names_alone(get_response: GetResponse) -> Callable[..., HttpResponse]:
    """Sends strangers to the login, but for URLs of some bare names."""

    def middleware(request: HttpRequest) -> HttpResponse:
        named = resolve(request.path_info).url_name in {"webhook", "chat_enter", "inbox"}
        if named or request.user.is_authenticated:
            return get_response(request)
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?next={request.path}")

    return middleware


def tenants_by_token(get_response: GetResponse) -> Callable[..., HttpResponse]:
    """Refuses whoever brings no tenant, unless the path is exempt."""

    def middleware(request: HttpRequest) -> HttpResponse:
        exempt = request.path.startswith(("/guard/chat/", "/guard/webhooks/", "/login/"))
        return get_response(request) if exempt else HttpResponse("no tenant", status=403)

    return middleware


def heads_alone(get_response: GetResponse) -> Callable[..., HttpResponse]:
    """Lets nobody but the heads of offices in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if user.is_authenticated and user.job == "clerk":
            return HttpResponse("not for you", status=403)
        return get_response(request)

    return middleware


def second_factor(get_response: GetResponse) -> Callable[..., HttpResponse]:
    """Sends people who are signed in to the page that asks for their second factor."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect("/second/") if request.user.is_authenticated else get_response(request)

    return middleware

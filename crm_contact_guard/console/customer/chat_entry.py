"""Who may open the web chat: anyone who has a link, whose token is kept in a cookie."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm_contact_guard.console.headers import protect
from crm_contact_guard.hosting.languages import speaking

COOKIE = "contact_guard_chat"

View = Callable[..., HttpResponseBase]


def public(*methods: str) -> Callable[[View], View]:
    """Turn a view into a page for anyone who has a link: without a login, a CSRF cookie, framing or a referrer."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @require_http_methods(methods)
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with speaking():
                return protect(view(request, *args, **kwargs), public=True)

        # Login-required middleware (part of Django since 5.1) lets views with this attribute through.
        wrapped.login_required = False  # type: ignore[attr-defined]
        return cast(View, wrapped)

    return decorate


def form_token(token: str) -> str:
    """Return the value that the form on a link's page must carry, derived from the link's token."""
    return salted_hmac("crm_contact_guard.chat.form", token, algorithm="sha256").hexdigest()

"""Where people sign in: whether the host's login address is one, and which of its pages may be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import NoReverseMatch, Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils import translation

from crm_contact_guard.conf import settings
from crm_contact_guard.installation.addresses import within_site
from crm_contact_guard.installation.doors import own_host, quietly

_LOGIN = re.compile(r"log[-_]?in$|sign[-_]?in$")
#: Namespaces whose login is not everybody's, or not for people: they come last.
_LATE = ("admin", "rest_framework")
#: Pages that are asked for at most.
_ASKED = 12
_PASSWORD = re.compile(rb"""type\s*=\s*["']?password""", re.IGNORECASE)


def address_of(given: Any) -> str:
    """The address behind a path or URL name; of a name that leads nowhere, itself."""
    try:
        return resolve_url(given)
    except NoReverseMatch:
        return str(given)


def leads_somewhere(address: str) -> bool:
    """Whether a path is one of the site's, in any of its languages."""
    path = within_site(address)
    if django_settings.APPEND_SLASH and not path.endswith("/") and leads_somewhere(f"{path}/"):
        return True  # as Django's CommonMiddleware leads there
    # Below i18n_patterns a path exists in one language only.
    for code, _name in django_settings.LANGUAGES:
        with translation.override(code):
            try:
                found = resolve(path)
            except Resolver404:
                continue
            # A pattern for any page's path, such as those of pages by editors, says nothing: the page does.
            return not _catches(found.func, path) or _asked(path).status_code != 404
    return False


def _catches(view: Any, path: str) -> bool:
    """Whether a path that nobody made leads to the same view."""
    made_up = re.sub(r"[^/]+(?=/?$)", "crm-contact-guard-no-such-page", path)
    try:
        return bool(resolve(made_up).func == view)
    except Resolver404:
        return False


def login_page() -> str:
    """The URL name of a page at which people sign in, the likeliest first; "" where none can be found."""
    named = [name for name in _url_names(get_resolver().url_patterns) if _LOGIN.search(name.lower())]
    ranked = sorted(dict.fromkeys(named), key=lambda name: (name.split(":")[0] in _LATE, _last(name) != "login"))
    reachable = [(name, address_of(name)) for name in ranked]
    for name, address in reachable[:_ASKED]:
        if address != name and _shows_password(address):
            return name
    # One that is made by scripts, or that can't answer yet, may still be named as one.
    return next((name for name, address in reachable if _last(name) == "login" and address != name), "")


def _last(name: str) -> str:
    return name.rsplit(":", maxsplit=1)[-1]


def _shows_password(address: str) -> bool:
    answer = _asked(within_site(address))
    return answer.status_code == 200 and not answer.streaming and bool(_PASSWORD.search(answer.content))


def _asked(path: str) -> Any:
    """What the site says to a stranger who opens it."""
    host = urlsplit(settings.PUBLIC_URL).netloc or own_host()
    with quietly():
        asked: dict[str, Any] = {"secure": True, "headers": {"host": host}}
        return Client(raise_request_exception=False).get(path, **asked)


def _url_names(patterns: Iterable[URLPattern | URLResolver], space: str = "") -> Iterable[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _url_names(pattern.url_patterns, inner)
        elif isinstance(pattern.name, str):
            yield f"{space}{pattern.name}"

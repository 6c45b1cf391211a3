"""Check the host's login URL, and find a login page if the URL is invalid or its page refuses employees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils import translation

from crm_contact_guard.conf import settings
from crm_contact_guard.installation.addresses import address_of, within_site
from crm_contact_guard.installation.doors import own_host, quietly

_LOGIN = re.compile(r"log[-_]?in$|sign[-_]?in$")
#: Namespaces whose login pages are for administrators or APIs and are therefore ranked last.
_LATE = ("admin", "rest_framework")
#: Maximum number of pages requested.
_MAX_PAGES = 12
_PASSWORD = re.compile(rb"""type\s*=\s*["']?password""", re.IGNORECASE)


def leads_somewhere(address: str) -> bool:
    """Whether the site has a page at this path, in any of its languages."""
    path = within_site(address)
    if django_settings.APPEND_SLASH and not path.endswith("/") and leads_somewhere(f"{path}/"):
        return True  # CommonMiddleware redirects there
    # With i18n_patterns, a path exists in only one language.
    for code, _name in django_settings.LANGUAGES:
        with translation.override(code):
            try:
                match = resolve(path)
            except Resolver404:
                continue
            # A catch-all pattern, as in a CMS, matches every path. In that case, request the page itself.
            return not _catches(match.func, path) or _asked(path).status_code != 404
    return False


def _catches(view: Any, path: str) -> bool:
    """Whether a path that doesn't exist resolves to the same view."""
    missing = re.sub(r"[^/]+(?=/?$)", "crm-contact-guard-no-such-page", path)
    try:
        return bool(resolve(missing).func == view)
    except Resolver404:
        return False


def refused(address: str, people: Iterable[Any]) -> int:
    """Return how many of these users a login page would refuse although their passwords are correct.

    For example, the admin's login page refuses users who aren't staff. Return 0 if the page isn't based on the admin's
    login or on ``LoginView``.
    """
    form = _form(address)
    return sum(_refuses(form, user) for user in people) if form is not None else 0


def _form(address: str) -> Any:
    """Return the form of a login page based on Django's admin or on ``LoginView``; None for other pages."""
    try:
        view = resolve(within_site(address)).func
    except Resolver404:
        return None
    site: Any = getattr(view, "__self__", None)
    if hasattr(site, "login_form"):  # an AdminSite
        from django.contrib.admin.forms import AdminAuthenticationForm  # noqa: PLC0415 - only where it is installed

        return site.login_form or AdminAuthenticationForm
    options, cls = getattr(view, "view_initkwargs", {}), getattr(view, "view_class", None)
    forms = [options.get(name) or getattr(cls, name, None) for name in ("authentication_form", "form_class")]
    return next(filter(None, forms), None)


def _refuses(form: Any, user: Any) -> bool:
    try:
        form(None).confirm_login_allowed(user)
    except ValidationError:
        return True
    except Exception:  # noqa: BLE001 - a host's form may require other arguments
        return False
    return False


def login_page(people: Sequence[Any] = ()) -> str:
    """Return the URL name of the most likely login page that accepts any of ``people``; "" if none is found."""
    matches = [name for name in _url_names(get_resolver().url_patterns) if _LOGIN.search(name.lower())]
    ranked = sorted(dict.fromkeys(matches), key=lambda name: (name.split(":")[0] in _LATE, _last(name) != "login"))
    addresses = [(name, address_of(name)) for name in ranked]
    reachable = [(name, to) for name, to in addresses if not people or refused(to, people) < len(people)]
    for name, address in reachable[:_MAX_PAGES]:
        if address != name and _shows_password(address):
            return name
    # Pages that are rendered by scripts or fail at this point are accepted if they are named "login".
    return next((name for name, address in reachable if _last(name) == "login" and address != name), "")


def _last(name: str) -> str:
    return name.rsplit(":", maxsplit=1)[-1]


def _shows_password(address: str) -> bool:
    answer = _asked(within_site(address))
    return answer.status_code == 200 and not answer.streaming and bool(_PASSWORD.search(answer.content))


def _asked(path: str) -> Any:
    """Return the site's response to an anonymous request."""
    host = urlsplit(settings.PUBLIC_URL).netloc or own_host()
    with quietly():
        options: dict[str, Any] = {"secure": True, "headers": {"host": host}}
        return Client(raise_request_exception=False).get(path, **options)


def _url_names(patterns: Iterable[URLPattern | URLResolver], space: str = "") -> Iterable[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _url_names(pattern.url_patterns, inner)
        elif isinstance(pattern.name, str):
            yield f"{space}{pattern.name}"

"""Check that our public URLs are accessible, by sending requests like those of customers, carriers and API clients.

The requests pass through all of the host's middleware.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.test import Client, override_settings
from django.urls import Resolver404, reverse

from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.addresses import APP, address_of, within_site
from crm_contact_guard.installation.report import Item, Level, error, fine

TOPIC = "pages"
SEE = "see docs/installation.md, Middleware"
_EXEMPT = f"exempt the app's chat and webhook addresses in that middleware; {SEE}"
_STRANGERS = "for visitors without a login"


def door_items() -> Iterator[Item]:
    """Check each public URL with Django's test client, without network access."""
    host = public_host()
    ask_chat = partial(asked, "get", address("chat_enter", "x"))
    chat = ask_chat()
    if chat.status_code == 400:
        yield error(TOPIC, f"requests for {host!r} are refused", f"add {host!r} to ALLOWED_HOSTS")
        return
    if chat.status_code < 500 and not _is_ours(chat):
        yield _elsewhere(chat, host)
        return
    works = "customers reach the web chat without signing in"
    what = f"the web chat {_STRANGERS}"
    yield door(ask_chat, lambda answer: answer.status_code in (404, 410), works=works, what=what, fix=_EXEMPT)
    hook = next((alias for alias in registry.aliases() if _has_webhook(alias)), None)
    if hook is not None:
        ask_hook = partial(asked, "post", address("webhook", hook), b"", "application/json")
        what = f"the webhook of {hook!r} {_STRANGERS}"
        works = "carriers reach the webhooks"
        yield door(ask_hook, _is_plain({400, 403}), works=works, what=what, fix=_EXEMPT)
    if any(_fetches_files(alias) for alias in registry.aliases()):
        ask_file = partial(asked, "get", address("carrier_file", "x"))
        works = "carriers reach files that are sent by link"
        what = f"a file's link for carriers {_STRANGERS}"
        yield door(ask_file, _is_plain({404}), works=works, what=what, fix=_EXEMPT)
    yield _staff_pages()
    yield _api()


def _staff_pages() -> Item:
    """Check that anonymous users are redirected to the login page, by our view or by the host's middleware."""
    login = urlsplit(address_of(settings.LOGIN_URL or django_settings.LOGIN_URL)).path

    def sends_to_login(answer: Any) -> bool:
        if not 300 <= answer.status_code < 400:
            return False
        return is_marked(answer) or urlsplit(answer.headers["Location"]).path == login

    return door(
        partial(asked, "get", address("inbox")),
        sends_to_login,
        works="staff pages ask for a login",
        what=f"the staff pages {_STRANGERS}",
        fix=f"exempt {reverse(f'{APP}:dashboard')} in that middleware: the pages ask for a login themselves; {SEE}",
    )


def _api() -> Item:
    """Check that a request without a token gets the API's own 401 response."""

    def is_our_refusal(answer: Any) -> bool:
        return answer.status_code == 401 and "contact guard" in str(answer.headers.get("WWW-Authenticate", ""))

    path = address("api-conversations")
    return door(
        partial(asked, "get", path),
        is_our_refusal,
        works="programs reach the API",
        what="the API for programs with a token",
        fix=f"exempt {reverse(f'{APP}:api-conversations').removesuffix('conversations/')} in that middleware: the API"
        f" asks for a token or a session itself; {SEE}",
    )


def asked(method: str, path: str, *arguments: Any, cookies: Mapping[str, str] = MappingProxyType({})) -> Any:
    """Return the response to a request with only these cookies and without a CSRF token."""
    host = public_host()
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, SERVER_NAME=urlsplit(f"//{host}").hostname)
    client.cookies.load(dict(cookies))
    with quietly():
        return getattr(client, method)(path, *arguments, secure=True, headers={"host": host})


def address(name: str, *arguments: str) -> str:
    return within_site(reverse(f"{APP}:{name}", args=arguments))


def is_marked(answer: Any) -> bool:
    """Whether the response has the headers of our staff pages, which redirects and refusals also have."""
    return answer.headers.get("X-Robots-Tag") == "noindex, nofollow" and "Permissions-Policy" in answer.headers


@contextmanager
def quietly() -> Iterator[None]:
    """Prevent the check's requests from filling the host's log with warnings."""
    loggers = [logging.getLogger(name) for name in ("django.request", "django.security.DisallowedHost")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


# --- interpreting the responses


def _is_ours(answer: Any) -> bool:
    """Whether the request was resolved to one of our views."""
    try:
        return APP in answer.resolver_match.app_names
    except Resolver404:
        return False


def _elsewhere(answer: Any, host: str) -> Item:
    """Return the error for a response from another view, whose status, such as 404, our views may return as well."""
    urlconf = getattr(answer.wsgi_request, "urlconf", None)
    path = answer.wsgi_request.path
    if urlconf in (None, django_settings.ROOT_URLCONF):
        return error(TOPIC, f"{path} leads to another page than ours", "see E021 above")
    return error(
        TOPIC,
        f"{path} does not lead to our page: for {host!r} a middleware uses the URLconf {urlconf!r}",
        "include our URLs there as well, before any catch-all pattern; see docs/installation.md, Addresses",
    )


def _is_plain(expected: set[int]) -> Callable[[Any], bool]:
    """Return a predicate that tells our plain-text responses with an expected status from other pages."""

    def is_plain(answer: Any) -> bool:
        plain = str(answer.headers.get("Content-Type", "")).startswith("text/plain")
        return plain and answer.status_code in expected

    return is_plain


def door(
    ask: Callable[[], Any],
    is_ours: Callable[[Any], bool],
    *,
    works: str,
    what: str,
    fix: str,
    level: Level = Level.ERROR,
    last: Sequence[str] = (),
) -> Item:
    """Request one URL and return the item for it.

    ``works`` is the text for an expected response; otherwise, ``what`` names what is blocked. ``last`` is passed to
    ``answering``.
    """
    answer = ask()
    if is_ours(answer):
        return fine(TOPIC, works)
    code = answer.status_code
    if code >= 500:
        raised = getattr(answer, "exc_info", None)
        why = f" ({raised[0].__name__}: {raised[1]})" if raised else ""
        return error(
            TOPIC,
            f"{what.removesuffix(f' {_STRANGERS}')} returns {code}{why}",
            "see the server's log; a middleware may have failed",
        )
    middleware = answering(ask, is_ours, last) or "a middleware"
    location = answer.headers.get("Location", "")
    response = f"{code} to {location}" if location else str(code)
    return Item(level=level, topic=TOPIC, says=f"{middleware} blocks {what} ({response})", fix=fix)


def answering(ask: Callable[[], Any], is_wanted: Callable[[Any], bool], last: Sequence[str] = ()) -> str:
    """Return the dotted path of the first middleware that changes the expected response; "" if that is unclear.

    Earlier middleware stays enabled, since later middleware may depend on it. ``ask`` must create a new client each
    time, since a client loads the middleware only once. ``last``: our own middleware, which stays enabled after the
    host's.
    """
    paths = list(django_settings.MIDDLEWARE)
    for count in range(len(paths) + 1):
        with override_settings(MIDDLEWARE=[*paths[:count], *last]):
            try:
                answer = ask()
            except Exception:  # noqa: BLE001 - a middleware may require another one
                return ""
        if answer.status_code >= 500:
            return ""  # a middleware that depends on a later one fails here, so the result is unclear
        if not is_wanted(answer):
            return paths[count - 1] if count else ""
    return ""


def public_host() -> str:
    """Return the site's public host name, with the port if ``PUBLIC_URL`` has one."""
    return urlsplit(settings.PUBLIC_URL).netloc or own_host()


def own_host() -> str:
    """Return a host name of the site from ``ALLOWED_HOSTS``, for use if ``PUBLIC_URL`` is not set."""
    named = [host.lstrip(".") for host in django_settings.ALLOWED_HOSTS if host != "*"]
    return named[0] if named else "localhost"


def _has_webhook(alias: str) -> bool:
    try:
        return registry.channel(alias).supports_webhook
    except ConfigurationError:
        return False


def _fetches_files(alias: str) -> bool:
    try:
        return registry.channel(alias).files_by_link
    except ConfigurationError:
        return False

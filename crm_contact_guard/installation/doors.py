"""Check that public URLs work without a login: requests as customers and carriers send them, with all middleware."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.test import Client
from django.urls import Resolver404, reverse

from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.addresses import APP, within_site
from crm_contact_guard.installation.layers import answering
from crm_contact_guard.installation.report import Item, error, fine

TOPIC = "pages"
_CHAT = ("customers reach the web chat without signing in", "the web chat")
_EXEMPT = "exempt the app's chat and webhook addresses in that middleware; see docs/installation.md, Middleware"


def door_items() -> Iterator[Item]:
    """Check each public URL with Django's test client, without a network."""
    host = urlsplit(settings.PUBLIC_URL).netloc or own_host()
    ask_chat = partial(_asked, host, "get", _address("chat_enter", "x"))
    chat = ask_chat()
    if chat.status_code == 400:
        yield error(TOPIC, f"requests for {host!r} are refused", f"add {host!r} to ALLOWED_HOSTS")
        return
    if chat.status_code < 500 and not _is_ours(chat):
        yield _elsewhere(chat, host)
        return
    yield _door(ask_chat, lambda answer: answer.status_code in (404, 410), *_CHAT)
    hook = next((alias for alias in registry.aliases() if _has_webhook(alias)), None)
    if hook is not None:
        ask_hook = partial(_asked, host, "post", _address("webhook", hook), b"", "application/json")
        yield _door(ask_hook, _is_plain({400, 403}), "carriers reach the webhooks", f"the webhook of {hook!r}")
    if any(_fetches_files(alias) for alias in registry.aliases()):
        ask_file = partial(_asked, host, "get", _address("carrier_file", "x"))
        works = "carriers reach files that are sent by link"
        yield _door(ask_file, _is_plain({404}), works, "a file's link for carriers")


def _asked(host: str, method: str, address: str, *arguments: Any) -> Any:
    """The response to a request without cookies and CSRF token."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, SERVER_NAME=urlsplit(f"//{host}").hostname)
    with quietly():
        return getattr(client, method)(address, *arguments, secure=True, headers={"host": host})


def _address(name: str, argument: str) -> str:
    return within_site(reverse(f"{APP}:{name}", args=[argument]))


@contextmanager
def quietly() -> Iterator[None]:
    """Keep our own requests from filling the host's log with refusals."""
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
    """The error if another view responded, which may return 404 like ours."""
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
    """A predicate for our plain-text responses, in contrast to another page."""

    def is_plain(answer: Any) -> bool:
        plain = str(answer.headers.get("Content-Type", "")).startswith("text/plain")
        return plain and answer.status_code in expected

    return is_plain


def _door(ask: Callable[[], Any], is_ours: Callable[[Any], bool], works: str, what: str) -> Item:
    answer = ask()
    if is_ours(answer):
        return fine(TOPIC, works)
    code = answer.status_code
    if code >= 500:
        raised = getattr(answer, "exc_info", None)
        why = f" ({raised[0].__name__}: {raised[1]})" if raised else ""
        return error(TOPIC, f"{what} returns {code}{why}", "see the server's log; a middleware may have failed")
    middleware = answering(ask, is_ours) or "a middleware"
    location = answer.headers.get("Location", "")
    response = f"{code} to {location}" if location else str(code)
    return error(TOPIC, f"{middleware} blocks {what} for visitors without a login ({response})", _EXEMPT)


def own_host() -> str:
    """A host name of the site from ``ALLOWED_HOSTS``, if ``PUBLIC_URL`` is not set."""
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

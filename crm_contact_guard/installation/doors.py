"""Whether strangers get in: customers and carriers ask as they will, through all of the host's middleware."""

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
    """Each door that stands open to strangers, without a network."""
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
    """What a stranger is answered, who has no cookies and no token against forgery."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, SERVER_NAME=urlsplit(f"//{host}").hostname)
    with quietly():
        return getattr(client, method)(address, *arguments, secure=True, headers={"host": host})


def _address(name: str, argument: str) -> str:
    return within_site(reverse(f"{APP}:{name}", args=[argument]))


@contextmanager
def quietly() -> Iterator[None]:
    """Our own questions are not to fill the host's log with refusals."""
    loggers = [logging.getLogger(name) for name in ("django.request", "django.security.DisallowedHost")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


# --- what the answers mean


def _is_ours(answer: Any) -> bool:
    """Whether the request led to us, by the addresses that were in force for it in the end."""
    try:
        return APP in answer.resolver_match.app_names
    except Resolver404:
        return False


def _elsewhere(answer: Any, host: str) -> Item:
    """Another page than ours answers, which may well say 404 as ours does."""
    chosen = getattr(answer.wsgi_request, "urlconf", None)
    path = answer.wsgi_request.path
    if chosen in (None, django_settings.ROOT_URLCONF):
        return error(TOPIC, f"{path} leads to another page than ours", "see E021 above")
    return error(
        TOPIC,
        f"{path} does not lead to us: for {host!r} a middleware has the addresses of {chosen!r} in force",
        "include us there as well, before any pattern that catches every path; see docs/installation.md, Addresses",
    )


def _is_plain(expected: set[int]) -> Callable[[Any], bool]:
    """Whether it is what we say to programs, and not a page that somebody else put in its place."""

    def told(answer: Any) -> bool:
        plain = str(answer.headers.get("Content-Type", "")).startswith("text/plain")
        return plain and answer.status_code in expected

    return told


def _door(ask: Callable[[], Any], is_ours: Callable[[Any], bool], works: str, what: str) -> Item:
    answer = ask()
    if is_ours(answer):
        return fine(TOPIC, works)
    code = answer.status_code
    if code >= 500:
        raised = getattr(answer, "exc_info", None)
        why = f" ({raised[0].__name__}: {raised[1]})" if raised else ""
        return error(TOPIC, f"{what} answers {code}{why}", "look at the server's log; a middleware may fail there")
    middleware = answering(ask, is_ours) or "a middleware"
    where = answer.headers.get("Location", "")
    said = f"{code} to {where}" if where else str(code)
    return error(TOPIC, f"{middleware} answers strangers at {what} before we can ({said})", _EXEMPT)


def own_host() -> str:
    """A name under which the site answers where ``PUBLIC_URL`` tells none."""
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

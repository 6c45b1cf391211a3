"""Check where the host's URLconf includes our URLs, and whether our URLs can be resolved there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.urls import (
    NoReverseMatch,
    Resolver404,
    URLPattern,
    URLResolver,
    get_resolver,
    get_script_prefix,
    resolve,
    reverse,
)

APP = "crm_contact_guard"
#: Name and arguments of one URL of each kind, since a pattern that is too general need not match all kinds.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dashboard", ()),
    ("inbox", ()),
    ("chat_enter", ("x",)),
    ("webhook", ("x",)),
    ("health_live", ()),
)


def within_site(address: str) -> str:
    """Return the path of a URL without the script prefix, as the URLconf resolves it."""
    path, prefix = urlsplit(address).path, get_script_prefix()
    return f"/{path.removeprefix(prefix)}" if path.startswith(prefix) else path


def address_of(to: Any) -> str:
    """Return the URL for a path or URL name. Unknown names are returned unchanged."""
    try:
        return resolve_url(to)
    except NoReverseMatch:
        return str(to)


def misplaced() -> Iterator[str]:
    """Yield a description of each place where our URLs are included but don't work."""
    if not getattr(django_settings, "ROOT_URLCONF", None):
        return
    for namespaces, arguments, path in _places(get_resolver().url_patterns, (), (), ""):
        if namespaces:
            yield f"{path!r} is inside the namespace {':'.join(namespaces)!r}, so that our URLs can't be reversed"
        elif arguments:
            yield f"{path!r} takes an argument ({', '.join(arguments)}), which our links and views do not support"
    yield from _caught()


def _caught() -> Iterator[str]:
    """Yield a description of the first of our URLs that an earlier pattern matches, such as the host's catch-all."""
    for name, arguments in _KINDS:
        try:
            path = within_site(reverse(f"{APP}:{name}", args=arguments))
            match = resolve(path)
        except (NoReverseMatch, Resolver404):
            continue
        if APP not in match.app_names:
            yield f"{path!r} is caught by {match.route!r}, a pattern before ours"
            return


def _places(
    patterns: list[URLPattern | URLResolver], namespaces: tuple[str, ...], arguments: tuple[str, ...], path: str
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Yield the namespaces, URL arguments and route of each place where our URLs are included."""
    for pattern in patterns:
        if not isinstance(pattern, URLResolver):
            continue
        own = (*arguments, *(str(name) for name in pattern.pattern.regex.groupindex))
        here = f"{path}{pattern.pattern}"
        if pattern.app_name == APP:
            yield namespaces, own, here
        else:
            within = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _places(pattern.url_patterns, within, own, here)

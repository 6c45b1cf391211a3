"""Where the host's URLconf has our addresses, and whether anything can find them there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings as django_settings
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
#: One address of each kind, by name and arguments: a pattern that catches much need not catch all of them.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dashboard", ()),
    ("inbox", ()),
    ("chat_enter", ("x",)),
    ("webhook", ("x",)),
    ("health_live", ()),
)


def within_site(address: str) -> str:
    """The path of an address as a URLconf knows it: without what the server mounts the site below."""
    path, prefix = urlsplit(address).path, get_script_prefix()
    return f"/{path.removeprefix(prefix)}" if path.startswith(prefix) else path


def misplaced() -> Iterator[str]:
    """What is wrong with each place at which our addresses are included and can not work."""
    if not getattr(django_settings, "ROOT_URLCONF", None):
        return
    for namespaces, arguments, path in _places(get_resolver().url_patterns, (), (), ""):
        if namespaces:
            yield f"{path!r} lies within the namespace {':'.join(namespaces)!r}, so that no link of ours is found"
        elif arguments:
            yield f"{path!r} takes an argument ({', '.join(arguments)}), which neither our links nor our views know"
    yield from _caught()


def _caught() -> Iterator[str]:
    """The first of our addresses that a pattern of the host's before it answers, such as one for any page's path."""
    for name, arguments in _KINDS:
        try:
            path = within_site(reverse(f"{APP}:{name}", args=arguments))
            found = resolve(path)
        except (NoReverseMatch, Resolver404):
            continue
        if APP not in found.app_names:
            yield f"{path!r} is caught by {found.route!r}, which stands before us and leads elsewhere"
            return


def _places(
    patterns: list[URLPattern | URLResolver], namespaces: tuple[str, ...], arguments: tuple[str, ...], path: str
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Namespaces around it, arguments before it, and the address, of each place."""
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

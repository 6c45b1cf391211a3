"""Where the host's URLconf has our addresses, and whether anything can find them there."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings as django_settings
from django.urls import URLPattern, URLResolver, get_resolver

APP = "crm_contact_guard"


def misplaced() -> Iterator[str]:
    """What is wrong with each place at which our addresses are included and can not work."""
    if not getattr(django_settings, "ROOT_URLCONF", None):
        return
    for namespaces, arguments, path in _places(get_resolver().url_patterns, (), (), ""):
        if namespaces:
            yield f"{path!r} lies within the namespace {':'.join(namespaces)!r}, so that no link of ours is found"
        elif arguments:
            yield f"{path!r} takes an argument ({', '.join(arguments)}), which neither our links nor our views know"


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

"""The content security policy of our own pages, and of files that strangers sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from django.templatetags.static import static

from crm_contact_guard.conf import settings

NONE: Final = "'none'"
#: What a browser may do with a file: nothing.
_OF_A_FILE: Final = {"default-src": NONE, "sandbox": ""}


def _assets_origin() -> str:
    """Where static files come from, when the host serves them from another origin."""
    parts = urlsplit(static("crm_contact_guard/css/tokens.css"))
    return f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else ""


def content_security_policy(*, frames: str, nonce: str = "") -> str:
    """The policy as one header value: nothing inline, nothing evaluated, nothing from elsewhere.

    ``CONTENT_SECURITY_POLICY`` adds sources a directive, for a host whose own base template needs them. ``nonce`` is
    the one that this template's own scripts and styles carry.
    """
    own = " ".join(part for part in ("'self'", _assets_origin()) if part)
    policy = {
        "default-src": NONE,
        "script-src": own,
        "style-src": own,
        "img-src": f"{own} data:",
        "font-src": own,
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": NONE,
        "frame-ancestors": frames,
    }
    for directive, sources in settings.CONTENT_SECURITY_POLICY.items():
        if sources is None:
            continue
        known = policy.get(directive, "")
        policy[directive] = " ".join([*([known] if known not in ("", NONE) else []), *sources])
    for directive in ("script-src", "style-src") if nonce else ():
        if "'unsafe-inline'" not in policy[directive]:  # which a nonce would put out of force
            policy[directive] += f" 'nonce-{nonce}'"
    return _written(policy)


def file_policy() -> str:
    """The policy of an attachment that somebody opens instead of saving it."""
    return _written(_OF_A_FILE)


def _written(policy: Mapping[str, str]) -> str:
    """As a header. Directives that the host set to None are left out: middleware that adds a policy of its own to ours
    may fail at those it does not know."""
    unwanted = {name for name, sources in settings.CONTENT_SECURITY_POLICY.items() if sources is None}
    return "; ".join(f"{name} {sources}".strip() for name, sources in policy.items() if name not in unwanted)

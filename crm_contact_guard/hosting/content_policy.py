"""Content-Security-Policy of our pages and of attachments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from django.templatetags.static import static

from crm_contact_guard.conf import settings

NONE: Final = "'none'"
#: Policy for attachments, which doesn't let a browser load or run anything.
_OF_A_FILE: Final = {"default-src": NONE, "sandbox": ""}


def _assets_origin() -> str:
    """Return the origin of static files if it differs from the pages' origin, or else an empty string."""
    parts = urlsplit(static("crm_contact_guard/css/tokens.css"))
    return f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else ""


def content_security_policy(*, frames: str, nonce: str = "") -> str:
    """Return the header value for pages, which permits no inline code, no ``eval`` and no other origins.

    ``CONTENT_SECURITY_POLICY`` adds sources to individual directives if the host's base template needs them. ``nonce``
    is the nonce of the scripts and styles in that template.
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
        if "'unsafe-inline'" not in policy[directive]:  # browsers ignore it if there is also a nonce
            policy[directive] += f" 'nonce-{nonce}'"
    return _header_value(policy)


def file_policy() -> str:
    """Return the header value for attachments, in case a browser displays an attachment instead of saving it."""
    return _header_value(_OF_A_FILE)


def _header_value(policy: Mapping[str, str]) -> str:
    """Return the policy as a header value, without the directives that the host set to None.

    This is needed because middleware that merges its policy into ours may fail on directives that it does not know.
    """
    unwanted = {name for name, sources in settings.CONTENT_SECURITY_POLICY.items() if sources is None}
    return "; ".join(f"{name} {sources}".strip() for name, sources in policy.items() if name not in unwanted)

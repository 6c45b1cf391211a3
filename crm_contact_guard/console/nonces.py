"""The nonce of the host's content security policy, set by Django's own middleware (since 6.0) or by django-csp."""

from __future__ import annotations

from django.http import HttpRequest


def nonce_for(request: HttpRequest | None) -> str:
    """Return the nonce for scripts on this page, generating it if necessary; "" if the host's policy has none."""
    for name in ("csp_nonce", "_csp_nonce"):
        nonce = getattr(request, name, None)
        if nonce is not None:  # a lazy nonce is falsy until it is first converted to text
            return str(nonce)
    return ""


def nonce_used(request: HttpRequest) -> str:
    """Return the nonce that an element of this page already uses; "" if there is none."""
    return str(getattr(request, "_csp_nonce", None) or "")

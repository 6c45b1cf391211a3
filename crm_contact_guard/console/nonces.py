"""The nonce of the host's content security policy, whichever middleware has one: Django's own (6.0) or django-csp's."""

from __future__ import annotations

from django.http import HttpRequest


def nonce_for(request: HttpRequest | None) -> str:
    """The nonce that a script of this page may carry, made now if nobody has asked for it yet; empty without any."""
    for name in ("csp_nonce", "_csp_nonce"):
        nonce = getattr(request, name, None)
        if nonce is not None:  # false until somebody has asked for its text
            return str(nonce)
    return ""


def nonce_used(request: HttpRequest) -> str:
    """The nonce that something on this page carries; empty when nothing does."""
    return str(getattr(request, "_csp_nonce", None) or "")

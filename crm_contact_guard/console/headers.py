"""Response headers of our own views. The host's pages keep their own headers, even if they contain our panel."""

from __future__ import annotations

from typing import TypeVar

from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from crm_contact_guard.hosting.content_policy import NONE, content_security_policy

R = TypeVar("R", bound=HttpResponseBase)


def protect(response: R, *, public: bool = False, nonce: str = "") -> R:
    """Set the headers of a response. ``public``: the page is for customers. It can't be framed and sends no referrer.

    Staff pages withhold the referrer from other sites only. Without any referrer, browsers post forms with
    ``Origin: null``, which Django's CSRF check refuses. The customers' pages have their own check.
    """
    # Responses with a file already have a stricter policy.
    if not response.has_header("Content-Security-Policy"):
        response["Content-Security-Policy"] = content_security_policy(frames=NONE if public else "'self'", nonce=nonce)
    response["X-Frame-Options"] = "DENY" if public else "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer" if public else "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store, private"
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    return response

"""Which of the host's middleware it is that answers in our place, found by asking with more and more of it in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings as django_settings
from django.test import override_settings


def answering(ask: Callable[[], Any], is_wanted: Callable[[Any], bool]) -> str:
    """The dotted path of the first middleware with which the answer is no longer the wanted one; "" when in doubt.

    Middleware counts on what stands before it, so all of that stays in force. ``ask`` makes a client of its own: a
    client keeps the middleware with which it asked first.
    """
    named = list(django_settings.MIDDLEWARE)
    for count in range(len(named) + 1):
        with override_settings(MIDDLEWARE=named[:count]):
            try:
                answer = ask()
            except Exception:  # noqa: BLE001 - a middleware may refuse to be made without another one
                return ""
        if answer.status_code >= 500:
            return ""  # one that counts on what stands behind it fails here, and may be the one
        if not is_wanted(answer):
            return named[count - 1] if count else ""
    return ""

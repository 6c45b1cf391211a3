"""Find the middleware that responds in our place, by enabling the host's middleware one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings as django_settings
from django.test import override_settings


def answering(ask: Callable[[], Any], is_wanted: Callable[[Any], bool], last: Sequence[str] = ()) -> str:
    """The dotted path of the first middleware with which the response is no longer as expected; "" if unclear.

    Earlier middleware stays enabled, since later ones may depend on it. ``ask`` must create a new client each time,
    since a client loads the middleware only once. ``last``: middleware of ours that stays enabled behind the host's.
    """
    paths = list(django_settings.MIDDLEWARE)
    for count in range(len(paths) + 1):
        with override_settings(MIDDLEWARE=[*paths[:count], *last]):
            try:
                answer = ask()
            except Exception:  # noqa: BLE001 - a middleware may require another one
                return ""
        if answer.status_code >= 500:
            return ""  # a middleware that depends on a later one fails here, so the result is unclear
        if not is_wanted(answer):
            return paths[count - 1] if count else ""
    return ""

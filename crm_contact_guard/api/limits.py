"""Limit of requests per caller and minute, counted in the cache, and the headers that tell it.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10. Counting is atomic in caches whose ``incr`` is (Redis,
Memcached). Without a shared cache, each process counts on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import logs
from crm_contact_guard.tokens.models import ApiToken

_WINDOW: Final = 60
logger = logs.logger(__name__)


class TooManyRequests(APIException):
    """The caller's limit for this minute is used up. ``wait``: seconds until the next minute."""

    status_code = 429
    default_code = "too-many-requests"

    def __init__(self, wait: int) -> None:
        super().__init__(_("Too many requests. Try again in %(seconds)d seconds.") % {"seconds": wait})
        self.wait = wait


def count(request: Request) -> Mapping[str, str]:
    """Count a request of an authenticated caller, and return the headers for the response.

    Raises TooManyRequests. If the cache doesn't work, nothing is counted.
    """
    most = int(settings.API_REQUESTS_PER_MINUTE)
    if not most:
        return {}
    window, elapsed = divmod(int(timezone.now().timestamp()), _WINDOW)
    used = _counted(f"contact_guard:api:{_caller(request)}:{window}")
    if used is None:
        return {}
    if used > most:
        raise TooManyRequests(_WINDOW - elapsed)
    return headers(most - used, _WINDOW - elapsed)


def headers(remaining: int, seconds: int) -> Mapping[str, str]:
    """Return the headers for this number of remaining requests and seconds until there are more."""
    most = settings.API_REQUESTS_PER_MINUTE
    return {"RateLimit-Policy": f'"minute";q={most};w={_WINDOW}', "RateLimit": f'"minute";r={remaining};t={seconds}'}


def _caller(request: Request) -> str:
    return f"token:{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"user:{request.user.pk}"


def _counted(key: str) -> int | None:
    try:
        # Two windows, since clocks of web servers differ a little.
        if cache.add(key, 1, timeout=2 * _WINDOW):
            return 1
        return int(cache.incr(key))
    except ValueError:  # the key was dropped between the two calls
        return 1
    except Exception:
        # Each kind of cache raises errors of its own. A request must not fail because it can't be counted.
        logger.exception("The cache can't count requests to the API")
        return None

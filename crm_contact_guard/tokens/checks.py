"""The system check of the limit for requests to the API."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from crm_contact_guard.conf import settings


@register("crm_contact_guard")
def check_api_limit(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """E063: ``API_REQUESTS_PER_MINUTE`` is not a number from 0 to 1,000,000."""
    value = settings.API_REQUESTS_PER_MINUTE
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000:
        return []
    problem = f"API_REQUESTS_PER_MINUTE = {value!r} is not a number from 0 (no limit) to 1,000,000"
    return [Error(problem, id="crm_contact_guard.E063")]

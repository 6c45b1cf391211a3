"""Checks the settings of random review."""

from __future__ import annotations

from collections.abc import Iterator

from crm_contact_guard.conf import settings


def problems() -> Iterator[str]:
    """Yield what is wrong with the settings."""
    for name in ("REVIEW_SHARE", "SECOND_REVIEW_SHARE", "PRECISION_FLOOR"):
        value = getattr(settings, name)
        if name == "REVIEW_SHARE" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            yield f"{name} = {value!r} is not a number from 0 to 1"
    if type(settings.REVIEW_LEAST) is not int or settings.REVIEW_LEAST < 0:
        yield f"REVIEW_LEAST = {settings.REVIEW_LEAST!r} is not a whole number from 0"
    if not isinstance(settings.SAMPLE_KEY, str) or 0 < len(settings.SAMPLE_KEY) < 32:
        yield "SAMPLE_KEY must be empty or have at least 32 characters"

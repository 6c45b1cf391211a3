"""The system check of the setting ``HOLIDAYS``. It loads the holidays if the setting names a country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils import timezone

from crm_contact_guard.policy import hours


@register("crm_contact_guard")
def check_holidays(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E052: ``HOLIDAYS`` has an unknown code. W010: the package ``holidays`` has no data for this year or the next."""
    hint = "Use a code of ISO 3166-1 or 3166-2 such as JP or GB-ENG, or a date such as 2026-12-30."
    unknown = hours.unknown_holidays()
    if unknown:
        return [Error(f'CONTACT_GUARD["HOLIDAYS"]: {one}', hint=hint, id="crm_contact_guard.E052") for one in unknown]
    year = timezone.now().year
    hint = "Upgrade the package holidays, or add the missing days as dates."
    missing = hours.holiday_problems((year, year + 1))
    return [Warning(f'CONTACT_GUARD["HOLIDAYS"]: {one}', hint=hint, id="crm_contact_guard.W010") for one in missing]

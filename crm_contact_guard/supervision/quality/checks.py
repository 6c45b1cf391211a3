"""The system check of the settings of random review."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from crm_contact_guard.supervision.quality import options as quality


@register("crm_contact_guard")
def check_quality(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """E062: a setting of random review has a wrong value."""
    return [Error(one, hint="See docs/quality.md.", id="crm_contact_guard.E062") for one in quality.problems()]

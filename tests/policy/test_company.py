"""What detection is told of the company: its own contacts, and how sure it must be."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from crm_contact_guard.detection.engine import THRESHOLD
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.company import company


def guard(**changes: object) -> Any:
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **changes})


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({}, 1.0),
        ({"INDUSTRY": "finance"}, 0.7),
        ({"INDUSTRY": "finance", "SENSITIVITY": "balanced"}, 1.0),
        ({"SENSITIVITY": "quiet"}, 1.4),
    ],
)
def test_the_threshold_follows_the_industry_unless_the_company_says_otherwise(
    changes: dict[str, str], factor: float
) -> None:
    with guard(**changes):
        assert company().threshold == pytest.approx(THRESHOLD * factor)


def test_an_unknown_sensitivity_is_named_with_the_known_ones() -> None:
    with guard(SENSITIVITY="loud"), pytest.raises(ConfigurationError, match="'loud'; known: quiet, balanced, strict"):
        company()


@pytest.mark.parametrize("changes", [{"SENSITIVITY": "loud"}, {"INDUSTRY": "zoo"}, {"RULES": {"attempt": "shout"}}])
def test_the_system_check_names_what_is_unknown(changes: dict[str, Any]) -> None:
    with guard(**changes):
        found = [each for each in run_checks(tags=["crm_contact_guard"]) if each.id == "crm_contact_guard.E010"]
    assert len(found) == 1

"""People who decide on the rules, and rules to decide on."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.rulebook import Rulebook, from_settings
from tests import factories


def book(**changes: Any) -> Rulebook:
    """The rulebook of the tests' settings with these changes."""
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **changes}):
        return from_settings()


@pytest.fixture
def officer() -> Employee:
    return factories.employee("mio", job="compliance")


@pytest.fixture
def second() -> Employee:
    return factories.employee("rin", job="compliance")

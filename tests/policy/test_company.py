"""What detection is told of the company: its own contacts, words and rules, and how sure it must be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.detection.engine import THRESHOLD
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.company import company
from crm_contact_guard.supervision.models import Alert
from tests import factories


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


RULES = """
version = "2026-11-24"
handles = ["minato_official"]

[own_words]
side_deal = ["裏メニュー"]
"""


@pytest.mark.django_db
def test_a_company_s_own_word_warns_its_supervisor(
    tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    file = tmp_path / "company.toml"
    file.write_text(RULES, "utf-8")
    talk = factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))
    written = {
        "channel": "chat",
        "from_address": "",
        "text": "裏メニューの件、どうですか",
        "occurred_at": timezone.now(),
    }

    with guard(COMPANY_RULES=str(file)), django_capture_on_commit_callbacks(execute=True):
        assert "minato_official" in company().handles
        gateway.receive(InboundMessage(event_id="1", reply_tokens=(talk.reply_token,), **written))

    alert = Alert.objects.get()
    assert (alert.kind, alert.by) == ("side_deal", "customer")
    assert alert.findings.get().version == "2026-11-24"


def test_the_system_check_names_the_line_of_the_company_s_file(tmp_path: Path) -> None:
    file = tmp_path / "company.toml"
    file.write_text('[own_words]\nsidedeal = ["x"]\n', "utf-8")

    with guard(COMPANY_RULES=str(file)):
        [found] = [each for each in run_checks(tags=["crm_contact_guard"]) if each.id == "crm_contact_guard.E014"]

    assert "line 2" in found.msg

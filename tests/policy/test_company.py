"""The company's data for detection: contacts, words, rules and thresholds."""

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
from crm_contact_guard.detection.decision import ALERT, NOTICED
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.company import company
from crm_contact_guard.policy.thresholds import Thresholds, thresholds
from crm_contact_guard.supervision.models import Alert
from tests import factories


def guard(**changes: object) -> Any:
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **changes})


QUIET, BALANCED, STRICT = 1.4, 1.0, 0.7


@pytest.mark.parametrize(
    ("changes", "outbound", "inbound"),
    [
        ({}, BALANCED, BALANCED),
        ({"INDUSTRY": "finance"}, STRICT, STRICT),
        ({"INDUSTRY": "finance", "SENSITIVITY": "balanced"}, BALANCED, BALANCED),
        ({"SENSITIVITY": "quiet"}, QUIET, QUIET),
        ({"SENSITIVITY": {"inbound": "quiet"}}, BALANCED, QUIET),
        ({"INDUSTRY": "finance", "SENSITIVITY": {"inbound": "quiet"}}, STRICT, QUIET),
    ],
)
def test_thresholds_follow_the_industry_unless_set_by_the_company(
    changes: dict[str, Any], outbound: float, inbound: float
) -> None:
    with guard(**changes):
        told = company()

    assert told.threshold_by_direction is not None
    assert told.noticed_by_direction is not None
    for direction, factor in {Direction.OUTBOUND: outbound, Direction.INBOUND: inbound}.items():
        assert told.threshold_by_direction[direction] == pytest.approx(ALERT * factor)
        assert told.noticed_by_direction[direction] == pytest.approx(NOTICED * factor)
    assert (told.threshold, told.noticed) == (
        told.threshold_by_direction[Direction.OUTBOUND],
        told.noticed_by_direction[Direction.OUTBOUND],
    )


def test_the_companys_thresholds_take_precedence_and_noticed_never_exceeds_alert() -> None:
    with guard(SENSITIVITY="quiet", THRESHOLDS={"alert": 0.8, "inbound": {"alert": 0.3, "noticed": 0.5}}):
        found = thresholds(Thresholds(alert=0.5, noticed=0.2))

    assert found[Direction.OUTBOUND] == (0.8, pytest.approx(0.28))
    assert found[Direction.NOTE] == (0.8, pytest.approx(0.28))
    assert found[Direction.INBOUND] == (0.3, 0.3)


def test_an_unknown_sensitivity_is_reported_with_the_known_ones() -> None:
    with guard(SENSITIVITY="loud"), pytest.raises(ConfigurationError, match="'loud'; known: quiet, balanced, strict"):
        company()


UNKNOWN: list[dict[str, Any]] = [
    {"SENSITIVITY": "loud"},
    {"SENSITIVITY": {"sideways": "quiet"}},
    {"SENSITIVITY": {"inbound": "loud"}},
    {"INDUSTRY": "zoo"},
    {"RULES": {"attempt": "shout"}},
    {"RULES": {"atempt": "block"}},
    {"THRESHOLDS": {"alarm": 0.5}},
    {"THRESHOLDS": {"inbound": {"alert": 45}}},
    {"THRESHOLDS": {"noticed": True}},
    {"THRESHOLDS": {"noticed": 0}},
    {"THRESHOLDS": {"outbound": {"alert": 1}}},
    {"THRESHOLDS": {"alert": "0.5"}},
    {"THRESHOLDS": {"inbound": 0.5}},
    {"THRESHOLDS": 0.5},
]


@pytest.mark.parametrize("changes", UNKNOWN)
def test_the_system_check_reports_unknown_values(changes: dict[str, Any]) -> None:
    with guard(**changes):
        found = [each for each in run_checks(tags=["crm_contact_guard"]) if each.id == "crm_contact_guard.E010"]
    assert len(found) == 1


def test_the_companys_name_is_no_private_contact() -> None:
    with guard(COMPANY_NAME="Hotel Kaede", COMPANY_CONTACTS={"names": ["Kaede Tours"]}):
        assert company().names == {"Hotel Kaede", "Kaede Tours"}
    with guard(COMPANY_NAME="", COMPANY_CONTACTS={"names": ["Kaede Tours"]}):
        assert company().names == {"Kaede Tours"}


@pytest.mark.parametrize(("least", "most"), [(0.001, 0.995)])
def test_a_detectors_threshold_out_of_bounds_still_tells_messages_apart(least: float, most: float) -> None:
    with guard(SENSITIVITY="balanced"):
        assert thresholds(Thresholds(alert=most, noticed=least))[Direction.INBOUND] == (0.99, 0.01)


RULES = """
version = "2026-11-24"
handles = ["minato_official"]

[own_words]
side_deal = ["裏メニュー"]
"""


@pytest.mark.django_db
def test_a_companys_own_word_alerts_its_supervisor(
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


def test_the_system_check_reports_the_line_of_the_companys_file(tmp_path: Path) -> None:
    file = tmp_path / "company.toml"
    file.write_text('[own_words]\nsidedeal = ["x"]\n', "utf-8")

    with guard(COMPANY_RULES=str(file)):
        [found] = [each for each in run_checks(tags=["crm_contact_guard"]) if each.id == "crm_contact_guard.E014"]

    assert "line 2" in found.msg

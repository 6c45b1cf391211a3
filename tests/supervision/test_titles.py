"""The title of an alert says who does what, in every language."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.models import Alert, FindingKind, Topic
from crm_contact_guard.supervision.titles import alert_title
from tests import factories
from tests.clock import Clock
from tests.supervision.test_alert_windows import raised, says, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(clock: Clock) -> Conversation:
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora", deputy="yui")))


@pytest.fixture
def alert(conversation: Conversation) -> Alert:
    return raised(conversation, verdict(says(conversation)))


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"by": "employee", "kind": "contact_identifier"}, "Aoi gave a private contact to Hanako Sato"),
        ({"by": "employee", "kind": "contact_request"}, "Aoi invited Hanako Sato to talk elsewhere"),
        ({"by": "employee", "kind": "private_meeting"}, "Aoi suggested meeting Hanako Sato privately"),
        ({"by": "employee", "kind": "side_deal"}, "Aoi proposed a deal past the company to Hanako Sato"),
        ({"by": "customer", "kind": "contact_identifier"}, "Hanako Sato gave Aoi a private contact"),
        ({"by": "customer", "kind": "contact_request"}, "Hanako Sato asks Aoi for private contact"),
        ({"by": "customer", "kind": "private_meeting"}, "Hanako Sato asks Aoi to meet privately"),
        ({"by": "customer", "kind": "side_deal"}, "Hanako Sato proposes a deal past the company to Aoi"),
        ({"by": "customer", "kind": "repeated_contact"}, "Hanako Sato keeps pressing Aoi"),
        ({"by": "customer", "kind": "harassment"}, "Hanako Sato is harassing Aoi"),
        ({"by": "employee", "kind": "repeated_contact"}, "Aoi and Hanako Sato are leaving the company's channels"),
        ({"by": "employee", "stance": "accept"}, "Aoi agreed to talk elsewhere with Hanako Sato"),
        ({"by": "customer", "stance": "accept"}, "Hanako Sato agreed to talk elsewhere with Aoi"),
        ({"topic": "after_hours", "stance": "accept"}, "Aoi wrote to Hanako Sato outside working hours"),
        ({"topic": "sensitive_data"}, "Sensitive data in the conversation between Aoi and Hanako Sato"),
        ({"topic": "scan_failure"}, "A message between Aoi and Hanako Sato could not be inspected"),
        ({"concerned": None, "kind": "side_deal"}, "Hanako Sato proposes a deal past the company to the team"),
    ],
)
def test_a_title_says_who_does_what(alert: Alert, changed: dict[str, Any], title: str) -> None:
    for name, value in changed.items():
        setattr(alert, name, value)

    assert alert_title(alert) == title


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_alert_has_a_title_with_both_names(alert: Alert, language: str) -> None:
    with translation.override(language):
        for alert.topic in Topic.values:
            for alert.kind in FindingKind.values:
                for alert.by in ("employee", "customer"):
                    for alert.stance in ("none", "ask", "accept", "decline"):
                        assert "Aoi" in alert_title(alert)
                        assert "Hanako Sato" in alert_title(alert)

"""Text blocks, and the window in which a carrier accepts free text."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from crm_contact_guard import checks, gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn, OutboundMessage
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy.limits import limits
from crm_contact_guard.policy.templates import Chosen, find
from crm_contact_guard.record.models import Conversation
from tests import factories
from tests.file_samples import PNG

TEMPLATES = {
    "arrival": {
        "LABEL": "Arrival",
        "TEXTS": {"en": "Dear {customer}, room {room}. {{braces}}", "ja": "{customer} 様、{room} 号室です。"},
        "CARRIERS": {"memory": {"en": "arrival_v1"}},
    },
    "thanks": {"TEXTS": {"ja": "ありがとうございます。"}},
}


@pytest.fixture
def talk(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    memory = {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"}
    factories.add_channels(settings, {"memory": memory}, TEMPLATES=TEMPLATES)
    monkeypatch.setattr(MemoryChannel, "session_window", timedelta(hours=24))
    monkeypatch.setattr(MemoryChannel, "supports_files", True)
    monkeypatch.setattr(MemoryChannel, "sent", [])
    return factories.conversation(factories.employee("aoi"), channel="memory")


def send(talk: Conversation, **more: Any) -> OutboundMessage:
    assert talk.employee is not None
    given = {"text": "Hello", "occurred_at": factories.office_time(), **more}
    sent = gateway.send(actor=talk.employee, conversation=talk, **given)
    assert sent.message is not None
    attempts.deliver(sent.message.pk)
    return MemoryChannel.sent[-1]


def writes(talk: Conversation, ago: timedelta) -> None:
    factories.received("Hi", talk, channel="memory", occurred_at=timezone.now() - ago)


def test_free_text_is_sent_while_the_window_is_open(talk: Conversation) -> None:
    writes(talk, timedelta(hours=23))

    assert limits(talk, registry.channel("memory")).window_open
    assert send(talk).text == "Hello"


@pytest.mark.parametrize("ago", [None, timedelta(hours=25)])
def test_afterwards_only_approved_blocks_are_sent(talk: Conversation, ago: timedelta | None) -> None:
    if ago is not None:
        writes(talk, ago)
    assert not limits(talk, registry.channel("memory")).window_open
    with pytest.raises(InvalidMessage, match="only for 24 hours"):
        send(talk)
    with pytest.raises(InvalidMessage, match="only for 24 hours"):
        send(talk, template=Chosen(name="thanks"))
    block = Chosen(name="arrival", variables={"room": "512"})
    file = FileIn(name="a.png", content_type="image/png", content=PNG)
    with pytest.raises(InvalidMessage, match="Files can't be sent with a text block"):
        send(talk, template=block, attachments=[file])

    carried = send(talk, template=block)

    assert carried.text == "Dear Hanako Sato, room 512. {braces}"
    assert carried.template is not None
    assert (carried.template.carrier_id, dict(carried.template.variables)) == (
        "arrival_v1",
        {"customer": "Hanako Sato", "room": "512"},
    )


def test_variables_are_in_the_order_of_the_text(settings: Any) -> None:
    settings.CONTACT_GUARD = {"TEMPLATES": {"x": {"TEXTS": {"en": "{zeta} {alpha} {zeta} {company}"}}}}

    found = find("x")

    assert found is not None
    assert found.variables("en") == ("zeta", "alpha")
    assert (found.language_for("ja-JP"), found.label) == ("en", "x")


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"TEXTS": {}},
        {"TEXTS": {"en": " "}},
        {"TEXTS": {"en": "Dear {first name}"}},
        {"TEXTS": {"en": "Dear {customer"}},
        {"TEXTS": {"en": "Dear"}, "CARRIERS": {"wa": {"ja": "x"}}},
    ],
)
def test_the_system_check_reports_an_invalid_block(settings: Any, spec: dict[str, Any]) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": {"arrival": spec}}

    found = [each for each in run_checks(tags=["crm_contact_guard"]) if each.id == "crm_contact_guard.E011"]

    assert [each.msg.startswith('TEMPLATES["arrival"]') for each in found] == [True]


def test_the_deployment_check_reports_missing_file_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_reading(None) == []
    monkeypatch.setitem(sys.modules, "pypdf", None)

    (found,) = checks.check_reading(None)
    assert (found.id, found.hint) == ("crm_contact_guard.W006", "pip install 'crm-contact-guard[pdf]'")

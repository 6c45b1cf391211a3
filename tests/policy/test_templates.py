"""Text blocks, and the window in which a carrier accepts free text."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils import timezone, translation

from crm_contact_guard import checks, gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn, OutboundMessage
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy.limits import limits
from crm_contact_guard.policy.templates import Chosen, fill, find
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
    ("texts", "active", "wanted", "found"),
    [
        ("en ja", "de", "ja", "ja"),
        ("en ja", "de", "ja-JP", "ja"),
        ("en ja pt-br pt", "de", "pt-br", "pt-br"),
        ("en ja", "ja", "ko", "ja"),  # the employee's, where there is none in the customer's
        ("ja en", "de", "ko", "en"),
        ("ja zh", "de", "ko", "ja"),
        ("ja zh", None, "", "ja"),
    ],
)
def test_a_block_comes_in_the_nearest_language(
    settings: Any, texts: str, active: str | None, wanted: str, found: str
) -> None:
    settings.CONTACT_GUARD = {"TEMPLATES": {"x": {"TEXTS": dict.fromkeys(texts.split(), "text")}}}
    block = find("x")

    assert block is not None
    with translation.override(active, deactivate=False):
        assert block.language_for(wanted) == found


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Chosen(name="nothing"), "no text block nothing"),
        (Chosen(name="arrival", language="ko"), "Arrival does not exist in the language ko"),
        (Chosen(name="arrival"), "Fill in room"),
        (Chosen(name="arrival", variables={"room": " \n"}), "Fill in room"),
        (Chosen(name="arrival", variables={"room": "x" * 501}), "room has more than 500 characters"),
        (Chosen(name="arrival", variables={"room": "1", "bed": "2", "air": "3"}), "Arrival has no air"),
        (Chosen(name="arrival", variables={"room": "1", "customer": "Someone else"}), "Arrival has no customer"),
        (Chosen(name="thanks", variables={"room": "1"}), "thanks has no room"),
    ],
)
def test_a_block_that_can_not_be_filled_in_is_refused_with_the_reason(
    talk: Conversation, chosen: Chosen, words: str
) -> None:
    writes(talk, timedelta(hours=1))

    with pytest.raises(InvalidMessage, match=words) as caught:
        send(talk, template=chosen)
    assert caught.value.field == "template"
    assert MemoryChannel.sent == []


def test_a_value_of_five_hundred_characters_fits_and_its_spaces_are_one(talk: Conversation) -> None:
    long = "quiet " * 83 + "ok"
    assert len(long) == 500
    chosen = Chosen(name="arrival", language="ja", variables={"room": f"  {long} \n"})

    filled = fill(chosen, customer=talk.customer, signed="Aoi")

    assert filled.text == f"Hanako Sato 様、{long} 号室です。"


def test_the_latest_word_of_the_customer_on_this_channel_opens_the_window(talk: Conversation) -> None:
    writes(talk, timedelta(hours=23))
    writes(talk, timedelta(hours=30))
    send(talk)
    ends = limits(talk, registry.channel("memory")).window_ends_at

    assert ends is not None
    assert timedelta(minutes=55) < ends - timezone.now() <= timedelta(hours=1)


def test_the_company_and_the_employee_are_filled_in(talk: Conversation, settings: Any) -> None:
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD, "COMPANY_NAME": "Hotel Kaede",
        "TEMPLATES": {"sign": {"TEXTS": {"en": "{{x}} {employee}, {company} {company}"}}},
    }  # fmt: skip
    writes(talk, timedelta(hours=1))

    assert send(talk, template=Chosen(name="sign")).text == "{x} Aoi, Hotel Kaede Hotel Kaede"


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

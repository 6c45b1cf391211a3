"""From the employee's form to the carrier's server: files and approved templates with Twilio and WhatsApp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import uploads
from crm_contact_guard.policy.templates import Chosen
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.channels import twilio_setup, whatsapp_setup
from tests.channels.meta_server import MetaServer
from tests.channels.twilio_server import TwilioServer

pytestmark = pytest.mark.django_db

#: One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)
PICTURE = FileIn(name="部屋.png", content_type="image/png", content=PNG)
REMINDER = {
    "LABEL": "Reminder",
    "TEXTS": {"en": "{customer}, we expect you at {time}."},
    "CARRIERS": {"whatsapp": {"en": "appointment_reminder"}},
}


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioServer]:
    with TwilioServer().running() as server:
        twilio_setup.configure(settings, server.url)
        yield server


@pytest.fixture
def meta(settings: Any) -> Iterator[MetaServer]:
    with MetaServer().running() as server:
        whatsapp_setup.configure(settings, server.url)
        yield server


def send(talk: Conversation, alias: str, text: str = "", **more: Any) -> Message:
    message = factories.sent(talk, text, alias, **more)
    attempts.deliver(message.pk)
    assert Delivery.objects.get(message=message).state == "sent"
    return message


@pytest.mark.parametrize("alias", ["sms", "whatsapp"])
def test_twilio_can_fetch_the_file_by_its_link(alias: str, twilio: TwilioServer) -> None:
    talk = twilio_setup.talk("phone" if alias == "sms" else alias)
    send(talk, alias, "Your room", attachments=[PICTURE])

    link = twilio.messages[0]["form"]["MediaUrl"][0]
    assert link.startswith(f"{twilio_setup.PUBLIC}/guard/")
    answer = Client().get(urlsplit(link).path)
    assert answer.status_code == 200
    assert b"".join(answer) == PNG
    assert answer["Content-Type"] == "image/png"
    assert Client().get(urlsplit(link).path.replace(":", ".")).status_code == 404


def test_a_file_without_text_can_be_sent(twilio: TwilioServer) -> None:
    send(twilio_setup.talk(), "sms", attachments=[PICTURE])

    assert len(twilio.messages[0]["form"]["MediaUrl"]) == 1


def test_whatsapp_gets_the_file_itself(meta: MetaServer) -> None:
    send(whatsapp_setup.talk(), "whatsapp", "Your room", attachments=[PICTURE])

    sent = meta.messages[0]
    assert sent["image"]["caption"].startswith("Your room")
    assert meta.uploads[sent["image"]["id"]] == ("部屋.png", "image/png", PNG)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("a.png", PNG), ("b.png", PNG)], "At most 1"),
        ([("setup.pdf", b"MZ\x90\x00" + b"\0" * 60)], "setup.pdf"),
        ([("moving.gif", b"GIF89a" + b"\0" * 60)], "moving.gif"),
    ],
)
def test_files_that_whatsapp_does_not_accept_are_refused_before_sending(
    given: list[tuple[str, bytes]], words: str, meta: MetaServer
) -> None:
    with pytest.raises(InvalidMessage, match=words):
        uploads.read([SimpleUploadedFile(*one) for one in given], registry.channel("whatsapp"))


def test_outside_the_window_meta_sends_an_approved_template(meta: MetaServer, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": {"reminder": REMINDER}}
    talk = whatsapp_setup.talk(opened=False)
    message = send(talk, "whatsapp", template=Chosen(name="reminder", variables={"time": "10:00"}))

    template = meta.messages[0]["template"]
    assert message.text == f"{talk.customer.name}, we expect you at 10:00."
    assert template["name"] == "appointment_reminder"
    values = [parameter["text"] for parameter in template["components"][0]["parameters"]]
    assert values == [talk.customer.name, "10:00"]


def test_outside_the_window_twilio_sends_a_template_by_content_id(twilio: TwilioServer, settings: Any) -> None:
    block = {**REMINDER, "CARRIERS": {"whatsapp": {"en": "HX0123"}}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": {"reminder": block}}
    talk = twilio_setup.talk("whatsapp")
    send(talk, "whatsapp", template=Chosen(name="reminder", variables={"time": "10:00"}))

    form = twilio.messages[0]["form"]
    assert form["ContentSid"] == ["HX0123"]
    assert json.loads(form["ContentVariables"][0]) == {"1": talk.customer.name, "2": "10:00"}


def test_an_sms_template_without_a_carrier_id_is_sent_as_text(twilio: TwilioServer, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": {"reminder": REMINDER}}
    send(twilio_setup.talk(), "sms", template=Chosen(name="reminder", variables={"time": "10:00"}))

    assert "we expect you at 10:00." in twilio.messages[0]["body"]


def test_only_the_first_message_contains_the_recording_notice(twilio: TwilioServer) -> None:
    talk = twilio_setup.talk()
    send(talk, "sms", "First")
    send(talk, "sms", "Second")

    assert "is kept by Hotel Kaede" in twilio.messages[0]["body"]
    assert twilio.messages[1]["body"] == "Second"


def test_a_text_too_long_for_sms_is_refused_before_sending(twilio: TwilioServer) -> None:
    with pytest.raises(InvalidMessage, match="1400"):
        send(twilio_setup.talk(), "sms", "あ" * 1401)
    send(Conversation.objects.get(), "sms", "あ" * 1400)

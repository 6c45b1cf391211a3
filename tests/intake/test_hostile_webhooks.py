"""Validly signed webhooks that are hostile or broken: recorded with their payload, and nothing behind them is lost.

And no door of ours waits for the network: a carrier that accepts connections and never answers is not even asked.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from crm_contact_guard.channels.base import CarrierEvent, InboundMessage
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.record.models import Event, Message
from tests.channels import meta_server, twilio_server, twilio_setup, whatsapp_setup
from tests.channels.esp_server import basic
from tests.channels.line_setup import call_line, call_works, configure, line_options, payload, works_options
from tests.signed_channel import SignedChannel, signature
from tests.sockets import watched

pytestmark = pytest.mark.django_db

HOOK = "hook:secret-0123456789abcdef"
Call = Callable[[bytes], Any]


class OddChannel(SignedChannel):
    """A third party's channel with faults."""

    def parse(self, request: HttpRequest) -> list[CarrierEvent]:
        fault = json.loads(request.body).get("fault")
        if fault == "assertion":
            raise AssertionError
        if fault == "carrier":
            raise ChannelError("ask again", permanent=False)
        good = InboundMessage(
            channel=self.alias, event_id="good", from_address="+819012345678", text="Good", occurred_at=timezone.now()
        )
        bad = InboundMessage(
            channel=self.alias, event_id="bad", from_address="+819012345678", text=7, occurred_at=timezone.now()
        )  # type: ignore[arg-type]
        return [bad, good]


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A carrier that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture(autouse=True)
def _channels(settings: Any, silent: socket.socket) -> None:
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    configure(settings, "line", "crm_contact_guard.channels.line.LineChannel", line_options(url))
    works = "crm_contact_guard.channels.line_works.LineWorksChannel"
    configure(settings, "works", works, works_options(url))
    configure(settings, "odd", f"{__name__}.OddChannel", {"SECRET": "s3cret", "URL": url})
    esp = {
        "FROM": "guests@kaede.example",
        "ESP": "postmark",
        "SEND": {"server_token": "x", "api_url": url},
        "WEBHOOK_SECRET": HOOK,
    }
    configure(settings, "post", "crm_contact_guard.channels.email.esp.EspChannel", esp)
    twilio_setup.configure(settings, url)
    whatsapp_setup.configure(settings, url)


def call_odd(body: bytes) -> Any:
    headers = {"X-Signature": signature(body, "s3cret")}
    return Client().post("/guard/webhooks/odd/", body, content_type="application/json", headers=headers)


def call_post(body: bytes) -> Any:
    return Client().post(
        "/guard/webhooks/post/?type=inbound", body, content_type="application/json", headers=dict(basic(HOOK))
    )


JSON_DOORS: dict[str, Call] = {
    "line": call_line,
    "works": call_works,
    "whatsapp": meta_server.call_us,
    "sms": twilio_server.call_us_with_json,
    "post": call_post,
}

HOSTILE = {
    "lists 100,000 deep": b"[" * 100_000,
    "closed lists 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep below the events": b'{"events":' + b"[" * 50_000 + b"]" * 50_000 + b',"entry":[]}',
    "a quote without an end": b'{"a":"' + b'\\"' * 200_000,
    "a million values": b"[" + b"1," * 1_000_000 + b"1]",
    "a million objects": b"[" + b"{}," * 700_000 + b"{}]",
    "a long number": b'{"events":[{"timestamp":' + b"9" * 100_000 + b"}]}",
    "an infinite number": b'{"events":[{"timestamp":1e999}]}',
    "NaN": b'{"events":[{"timestamp":NaN}]}',
    "a name twice": b'{"events":[],"events":[{"type":"message"}],"entry":[],"entry":[1]}',
    "no UTF-8": b'{"events":"\xff\xfe"}',
}


#: What a door takes otherwise: signatures over text; a library that reads numbers and names its own way.
OTHERWISE = {
    "line": {"no UTF-8"},
    "sms": {"no UTF-8"},
    "post": {"a long number", "an infinite number", "NaN", "a name twice"},
}


@pytest.mark.parametrize(
    ("door", "name"), [(door, name) for door in JSON_DOORS for name in HOSTILE if name not in OTHERWISE.get(door, ())]
)
def test_hostile_json_is_recorded_once_with_its_payload(door: str, name: str) -> None:
    body = HOSTILE[name]

    answers = [JSON_DOORS[door](body).status_code for _ in range(2)]

    assert answers[0] in (200, 204)
    assert answers[0] == answers[1]
    recorded = Event.objects.get(kind="carrier.unknown", subject_id=door)
    assert json.loads(recorded.details or "")["payload"] == body.decode("utf-8", "replace")
    assert not Message.objects.exists()


def test_a_library_s_or_third_party_s_exception_loses_nothing() -> None:
    assert call_odd(b'{"fault":"assertion"}').status_code == 204

    event = Event.objects.get(kind="carrier.unknown")
    assert event.reason == "can't be read: AssertionError"
    assert json.loads(event.details or "")["payload"] == '{"fault":"assertion"}'


def test_an_event_that_can_not_be_recorded_does_not_block_those_behind_it() -> None:
    assert [call_odd(b"{}").status_code for _ in range(2)] == [204, 204]

    unread, good = Message.objects.all()
    assert unread.text == "This message could not be read. It is attached as it arrived."
    assert good.text == "Good"


def test_a_carrier_is_asked_to_repeat_what_failed_for_another_reason() -> None:
    with pytest.raises(ChannelError):
        call_odd(b'{"fault":"carrier"}')

    assert not Event.objects.filter(kind="carrier.unknown").exists()


# --- no network within a door


def receive_by_smtp() -> None:
    from aiosmtpd.smtp import Envelope

    from crm_contact_guard.channels import registry
    from crm_contact_guard.intake.mail_server import MailHandler

    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos = "hanako@mail.example", ["guests@kaede.example"]
    envelope.original_content = b"From: hanako@mail.example\r\nTo: guests@kaede.example\r\n\r\nHello\r\n"
    assert MailHandler(registry.channel("post")).record(envelope).startswith("250")  # type: ignore[arg-type]


DOORS: dict[str, Callable[[], Any]] = {
    **{f"LINE: {name}": lambda name=name: call_line(payload("line", name)) for name in ("text", "image", "follow")},
    **{f"LINE WORKS: {name}": lambda name=name: call_works(payload("line_works", name)) for name in ("text", "file")},
    "WhatsApp: text": lambda: meta_server.call_us(meta_server.payload("text")),
    "WhatsApp: image": lambda: meta_server.call_us(meta_server.payload("image")),
    **{
        f"Twilio: {name}": lambda name=name: twilio_server.call_us(twilio_server.payload(twilio_setup.golden(name)))
        for name in ("sms", "mms")
    },
    "Twilio: a call": lambda: twilio_server.call_us(
        twilio_server.payload(twilio_setup.golden("call_in_missed")), alias="phone"
    ),
    "a mail service": lambda: call_post(payload("postmark", "inbound")),
}  # fmt: skip


# The mail server closes its database connection after each mail, and with it a transaction around the test.
@pytest.mark.django_db(transaction=True)
def test_the_mail_server_does_not_wait_for_the_network(silent: socket.socket) -> None:
    with watched() as made:
        receive_by_smtp()

    assert made == []
    with pytest.raises(BlockingIOError):
        silent.accept()
    assert Message.objects.exists()


@pytest.mark.parametrize("door", DOORS)
def test_no_webhook_waits_for_the_network(silent: socket.socket, door: str) -> None:
    with watched() as made:
        answer = DOORS[door]()

    assert made == []
    with pytest.raises(BlockingIOError):
        silent.accept()
    assert answer is None or answer.status_code in (200, 204)
    assert Event.objects.exists() or Message.objects.exists()

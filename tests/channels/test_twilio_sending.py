"""Sending with Twilio: the real library with a server that behaves like Twilio."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import InboundMessage, OutboundFile, OutboundMessage, OutboundTemplate
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.record.models import Event
from tests.channels.carrier_server import HANG_UP, Answer
from tests.channels.twilio_server import (
    ACCOUNT,
    BROKEN,
    CUSTOMER,
    MAGIC,
    NUMBER,
    TwilioServer,
    call_us,
    payload,
    refusal,
)
from tests.channels.twilio_setup import PUBLIC, configure, golden, talk, write

pytestmark = pytest.mark.django_db

SERVICE = "MG00112233445566778899aabbccddeeff"


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioServer]:
    with TwilioServer().running() as server:
        configure(settings, server.url)
        yield server


def outbound(**changes: Any) -> OutboundMessage:
    given = OutboundMessage(
        message_id="0192f0c1-0000-7000-8000-000000000001",
        to_name="Hanako",
        to_address="090-1234-5678",
        from_name="Aoi",
        text="Your car is here.",
        notice="This conversation is kept.",
        occurred_at=datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
    )
    return replace(given, **changes)


def refused(message: OutboundMessage, alias: str = "sms") -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        registry.channel(alias).send(message)
    return caught.value


def test_a_message_is_sent_in_e164_with_our_id_in_the_callback(twilio: TwilioServer) -> None:
    receipt = registry.channel("sms").send(outbound())

    sent = twilio.messages[0]
    assert receipt.carrier_id == sent["sid"]
    assert (sent["to"], sent["from"]) == (CUSTOMER, NUMBER)
    assert sent["body"] == "Your car is here.\n\nThis conversation is kept."
    assert sent["form"]["StatusCallback"] == [
        f"{PUBLIC}/guard/webhooks/sms/?message=0192f0c1-0000-7000-8000-000000000001"
    ]


def test_only_the_first_message_contains_the_notice(twilio: TwilioServer) -> None:
    registry.channel("sms").send(outbound(references=("SM1",)))

    assert twilio.messages[0]["body"] == "Your car is here."


def test_a_messaging_service_chooses_the_sender(twilio: TwilioServer, settings: Any) -> None:
    configure(settings, twilio.url, FROM="", MESSAGING_SERVICE_SID=SERVICE)
    registry.channel("sms").send(outbound())

    assert twilio.messages[0]["messaging_service_sid"] == SERVICE
    assert "From" not in twilio.messages[0]["form"]


def test_files_are_sent_by_link(twilio: TwilioServer) -> None:
    file = OutboundFile(
        name="map.png", content_type="image/png", size=3, sha256="0" * 64, open=lambda: io.BytesIO(b"png"),
        url="https://crm.kaede.example/guard/files/abc",
    )  # fmt: skip
    registry.channel("whatsapp").send(outbound(files=(file,)))

    sent = twilio.messages[0]
    assert (sent["to"], sent["from"]) == (f"whatsapp:{CUSTOMER}", f"whatsapp:{NUMBER}")
    assert sent["form"]["MediaUrl"] == ["https://crm.kaede.example/guard/files/abc"]


def test_a_template_is_sent_by_id_with_numbered_variables(twilio: TwilioServer) -> None:
    template = OutboundTemplate(
        name="reminder", language="ja", variables={"name": "花子", "time": "10:00"}, carrier_id="HX0123"
    )
    registry.channel("whatsapp").send(outbound(template=template, text="花子様、10:00です。"))

    form = twilio.messages[0]["form"]
    assert form["ContentSid"] == ["HX0123"]
    assert json.loads(form["ContentVariables"][0]) == {"1": "花子", "2": "10:00"}
    assert "Body" not in form


@pytest.mark.parametrize("number", sorted(MAGIC))
def test_undeliverable_messages_are_permanent_errors(number: str, twilio: TwilioServer) -> None:
    error = refused(outbound(to_address=number))

    assert error.permanent
    assert error.detail["code"] == str(MAGIC[number][0])


def test_an_invalid_number_is_not_sent_to_twilio(twilio: TwilioServer) -> None:
    assert refused(outbound(to_address="ask at the desk")).permanent
    assert not twilio.calls


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal(429, 20429, "Too Many Requests"), "20429"),
        (refusal(400, 21611, "This 'From' number has exceeded the maximum number of queued messages"), "21611"),
        (refusal(400, 63018, "Rate limit exceeded for Channel"), "63018"),
        (refusal(401, 20003, "Authenticate"), "20003"),
        (BROKEN, "503"),
    ],
)
def test_temporary_errors_are_not_uncertain(answer: Answer, code: str, twilio: TwilioServer) -> None:
    twilio.failures.append(answer)
    error = refused(outbound())

    assert (error.permanent, error.uncertain, error.detail["code"]) == (False, False, code)


def test_a_lost_response_is_uncertain_and_a_refused_connection_is_not(twilio: TwilioServer, settings: Any) -> None:
    twilio.failures.append(HANG_UP)
    lost = refused(outbound())
    configure(settings, "http://127.0.0.1:9")
    nobody = refused(outbound())

    assert (lost.permanent, lost.uncertain) == (False, True)
    assert (nobody.permanent, nobody.uncertain) == (False, False)


def test_a_message_with_a_lost_response_is_not_resent_after_a_callback(twilio: TwilioServer) -> None:
    message = write(talk(), "Your car is here")
    twilio.failures.append(HANG_UP)
    twilio.accepts_before_failing = True
    assert attempts.deliver(message.pk) is not None
    sid = twilio.messages[0]["sid"]

    callback = {**payload(golden("status_sent")), "MessageSid": sid, "SmsSid": sid}
    assert call_us(callback, query=f"message={message.pk}").status_code == 200
    Delivery.objects.filter(message=message).exclude(due_at=None).update(due_at=message.recorded_at)
    attempts.deliver(message.pk)

    row = Delivery.objects.get(message=message)
    assert (row.state, row.carrier_id, len(twilio.messages)) == ("sent", sid, 1)


def test_a_recipient_who_replied_stop_is_not_retried(twilio: TwilioServer) -> None:
    conversation = talk(address="+15005550004")
    message = write(conversation, "Your car is here")
    attempts.deliver(message.pk)

    assert Delivery.objects.get(message=message).state == "failed"
    assert conversation.customer.addresses.get(kind="phone").opted_out_by == "stop"
    assert Event.objects.filter(kind="contact.stop").count() == 1


def test_numbers_in_twilio_s_errors_are_masked(twilio: TwilioServer) -> None:
    conversation = talk()
    message = write(conversation, "Your car is here")
    twilio.failures.append(refusal(400, 21211, f"The 'To' number {CUSTOMER} is not a valid phone number."))
    attempts.deliver(message.pk)
    assert conversation.employee is not None
    client = Client()
    client.force_login(conversation.employee.user)

    page = client.get(f"/guard/conversations/{conversation.pk}/").content.decode()
    assert "Twilio 21211" in page
    assert CUSTOMER not in page


def test_errors_do_not_contain_the_password(twilio: TwilioServer, settings: Any) -> None:
    configure(settings, twilio.url, AUTH_TOKEN="wrong-but-secret")

    assert "wrong-but-secret" not in f"{refused(outbound())!r}"


def test_an_api_key_is_used_instead_of_the_token(twilio: TwilioServer, settings: Any) -> None:
    configure(settings, twilio.url, API_KEY="SK" + "0" * 32, API_SECRET="key-secret")
    refused(outbound())  # the local server accepts only the token

    wanted = base64.b64encode(f"SK{'0' * 32}:key-secret".encode()).decode()
    assert twilio.calls[0].header("Authorization") == f"Basic {wanted}"


# --- log


def row(sid: str, **changes: Any) -> dict[str, Any]:
    given = {
        "sid": sid,
        "account_sid": ACCOUNT,
        "body": "Hello",
        "direction": "inbound",
        "from": CUSTOMER,
        "to": NUMBER,
        "date_created": "Tue, 24 Nov 2026 01:00:00 +0000",
        "date_sent": "Tue, 24 Nov 2026 01:00:01 +0000",
        "status": "received",
        "num_media": "0",
        "messaging_service_sid": None,
    }
    return {**given, **changes}


def test_a_day_s_messages_are_listed_over_all_pages(twilio: TwilioServer) -> None:
    twilio.messages = [
        row("SM" + "1" * 32),
        row("SM" + "2" * 32, direction="outbound-api", **{"from": NUMBER, "to": CUSTOMER}),
        row("SM" + "3" * 32, to="+815099999999"),
        row("SM" + "4" * 32, **{"from": f"whatsapp:{CUSTOMER}", "to": f"whatsapp:{NUMBER}"}),
        row("SM" + "5" * 32, date_sent="Mon, 23 Nov 2026 23:59:59 +0000"),
        row("SM" + "6" * 32),
    ]
    carried = list(registry.channel("sms").carried(date(2026, 11, 24)))

    assert [(one.carrier_id[-1], one.inbound) for one in carried] == [("1", True), ("2", False), ("6", True)]
    assert carried[1].event is None
    event = carried[0].event
    assert isinstance(event, InboundMessage)
    assert (event.event_id, event.text, event.from_address) == ("SM" + "1" * 32, "Hello", CUSTOMER)
    assert event.occurred_at == datetime(2026, 11, 24, 1, 0, 1, tzinfo=UTC)
    assert "DateSent=2026-11-24" in twilio.calls[0].path
    ours = [one.carrier_id[-1] for one in registry.channel("whatsapp").carried(date(2026, 11, 24))]
    assert ours == ["4"]


def test_an_unavailable_list_is_a_channel_error(twilio: TwilioServer) -> None:
    twilio.failures.append(BROKEN)
    with pytest.raises(ChannelError):
        list(registry.channel("sms").carried(date(2026, 11, 24)))

"""Twilio's documented payloads, signed like Twilio's, sent to the real webhook behind a proxy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Address
from crm_contact_guard.files.models import Media
from crm_contact_guard.record.models import Event, Message
from tests.channels.twilio_server import call_us, call_us_with_json, payload, signature
from tests.channels.twilio_setup import PUBLIC, configure, golden, talk, write

pytestmark = pytest.mark.django_db

FIRST = "SM00000000000000000000000000000001"


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    # Nothing may be fetched or sent here: nothing listens on the port.
    configure(settings, "http://127.0.0.1:9")


def come(name: str, alias: str = "sms", **more: Any) -> Any:
    return call_us(payload(golden(name)), alias=alias, **more)


def test_a_text_message_becomes_a_message_of_the_customer_who_has_the_number() -> None:
    known = talk(address="090-1234-5678")

    answer = come("sms")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert answer.content.endswith(b"<Response/>")
    message = Message.objects.get()
    assert (message.text, message.conversation) == ("明日の10時に伺います", known)
    assert (message.from_address, message.to_address) == ("+819012345678", "+815012345678")
    assert json.loads(json.loads(message.details or "")["event"])["NumSegments"] == "1"


def test_media_is_fetched_after_the_webhook_response() -> None:
    assert come("mms").status_code == 200

    message = Message.objects.get()
    assert message.text == "This is the leak"
    waiting = Media.objects.values_list("content_type", flat=True)
    assert sorted(waiting) == ["image/jpeg", "text/vcard"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("whatsapp", "Is my room ready?"),
        ("whatsapp_button", "Confirm"),
        ("whatsapp_location", "[Location: 清水寺, 京都市東山区清水1丁目294, 34.9948,135.7850]"),
    ],
)
def test_whatsapp_messages_contain_name_buttons_and_places(name: str, text: str) -> None:
    assert come(name, "whatsapp").status_code == 200

    message = Message.objects.get()
    assert (message.text, message.from_name, message.from_address) == (text, "Hanako", "+819012345678")
    assert message.conversation.customer.name == "Hanako"


def test_a_whatsapp_reply_finds_its_conversation() -> None:
    old = talk("whatsapp")
    message = write(old, "Shall we?", "whatsapp")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)

    come("whatsapp_reply", "whatsapp")

    assert Message.objects.get(text="Yes please").conversation == old


@pytest.mark.parametrize("name", ["sms_stop", "sms_stop_advanced"])
def test_stop_is_recorded_and_in_force_until_start(name: str) -> None:
    row = talk().customer.addresses.get(kind="phone")
    come(name)
    row.refresh_from_db()
    assert row.opted_out_by == "stop"
    assert Message.objects.filter(direction="inbound").count() == 1

    come("sms_start")

    assert Address.objects.get(pk=row.pk).opted_out_at is None


def test_help_and_stop_within_a_sentence_are_not_opt_outs() -> None:
    row = talk().customer.addresses.get(kind="phone")
    come("sms_help")
    call_us({**payload(golden("sms")), "MessageSid": "SMx", "Body": "Please stop the noise next door"})

    row.refresh_from_db()
    assert row.opted_out_at is None
    assert Message.objects.filter(direction="inbound").count() == 2


@pytest.mark.parametrize(("alias", "name", "stops"), [("sms", "sms", True), ("whatsapp", "whatsapp", False)])
def test_cancel_is_an_opt_out_on_sms_only(alias: str, name: str, stops: bool) -> None:
    row = talk("phone" if alias == "sms" else alias).customer.addresses.exclude(kind="email").get()
    call_us({**payload(golden(name)), "Body": "Cancel"}, alias=alias)

    row.refresh_from_db()
    assert (row.opted_out_at is not None) is stops


def test_statuses_may_arrive_in_any_order() -> None:
    message = write(talk(), "Your car is here")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)

    for name in ("status_delivered", "status_sent", "status_delivered", "status_undelivered_30003"):
        assert come(name).status_code == 200

    assert Delivery.objects.get(message=message).state == "delivered"
    events = Event.objects.filter(message=message, kind__in=["delivery.delivered", "delivery.failed"])
    assert [event.kind for event in events.order_by("id")] == ["delivery.delivered", "delivery.failed"]
    assert json.loads(events.get(kind="delivery.failed").details or "")["code"] == "30003"


def test_a_status_received_before_the_send_response_finds_its_message() -> None:
    """Our id is in the callback's signed URL, so the carrier's id need not be known yet."""
    message = write(talk(), "Your car is here")
    Delivery.objects.filter(message=message).update(state="sending", due_at=None)

    assert come("status_delivered", query=f"message={message.pk}").status_code == 200

    row = Delivery.objects.get(message=message)
    assert (row.state, row.carrier_id) == ("delivered", FIRST)


@pytest.mark.parametrize(("name", "why"), [("status_undelivered_30005", "bounce"), ("status_failed_21610", "stop")])
def test_a_status_can_report_an_invalid_or_opted_out_address(name: str, why: str) -> None:
    conversation = talk()
    message = write(conversation, "Hello")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)

    come(name)

    assert Delivery.objects.get(message=message).state == "failed"
    assert conversation.customer.addresses.get(kind="phone").opted_out_by == why


def test_the_closed_window_of_whatsapp_is_reported_with_its_code() -> None:
    message = write(talk("whatsapp"), "Hello", "whatsapp")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)

    come("whatsapp_status_failed_63016", "whatsapp")

    event = Event.objects.get(message=message, kind="delivery.failed")
    assert json.loads(event.details or "")["code"] == "63016"


def test_unknown_requests_are_recorded_with_their_payload() -> None:
    for name in ("status_unheard_of", "call_recording", "status_unheard_of"):
        assert come(name).status_code == 200

    kept = Event.objects.filter(kind="carrier.unknown")
    assert kept.count() == 2
    assert all("payload" in json.loads(event.details or "") for event in kept)


# --- the signature


def test_the_configured_url_precedes_that_of_the_request() -> None:
    assert come("sms", public=PUBLIC).status_code == 200
    assert come("sms", public="http://testserver").status_code == 403


def test_webhook_url_overrides_the_url(settings: Any) -> None:
    configure(settings, WEBHOOK_URL="https://user:pass@hooks.kaede.example/twilio")
    values = payload(golden("sms"))

    signed = signature("https://user:pass@hooks.kaede.example/twilio", values)
    assert call_us(values, **{"X-Twilio-Signature": signed}).status_code == 200
    assert come("status_sent").status_code == 403


def test_without_public_url_the_request_s_url_is_used(settings: Any) -> None:
    configure(settings)
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": ""}

    assert come("sms", public="http://testserver").status_code == 200


def test_the_signed_url_may_contain_the_port() -> None:
    assert come("sms", public=f"{PUBLIC}:443").status_code == 200


def test_json_is_verified_by_the_digest_in_the_signed_url() -> None:
    body = json.dumps(payload(golden("sms"))).encode()

    assert call_us_with_json(body).status_code == 200
    assert call_us_with_json(body + b" ", digest="0" * 64).status_code == 403
    assert call_us_with_json(b"\xff").status_code == 403
    assert Message.objects.count() == 1


def test_json_without_a_signed_digest_is_refused() -> None:
    path = "/guard/webhooks/sms/"
    answer = Client().post(
        path, b"{}", content_type="application/json", headers={"X-Twilio-Signature": signature(PUBLIC + path, {})}
    )
    assert answer.status_code == 403


def test_the_query_is_part_of_the_signature() -> None:
    values = payload(golden("status_sent"))
    signed = signature(f"{PUBLIC}/guard/webhooks/sms/?message=1", values)

    assert call_us(values, query="message=2", **{"X-Twilio-Signature": signed}).status_code == 403
    assert call_us(values, query="message=1", **{"X-Twilio-Signature": signed}).status_code == 200


@pytest.mark.parametrize("odd", ["", "ümläut", "x" * 5000])
def test_malformed_signatures_are_refused_without_a_crash(odd: str) -> None:
    assert come("sms", **{"X-Twilio-Signature": odd}).status_code == 403
    assert not CarrierEventId.objects.exists()


def test_a_get_is_refused() -> None:
    assert Client().get("/guard/webhooks/sms/", {"From": "+819012345678"}).status_code == 403

"""Meta's documented payloads, signed like Meta's, sent to the real webhook."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard import gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Address
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files.models import Media
from crm_contact_guard.record.models import Event, Message
from tests import factories
from tests.channels.meta_server import SECRET, VERIFY, call_us, payload, signature
from tests.channels.whatsapp_setup import configure, talk, write

pytestmark = pytest.mark.django_db

FIRST = "wamid.0000000000000001"


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    # Nothing may be fetched or sent here: nothing listens on the port.
    configure(settings, "http://127.0.0.1:9")


def come(name: str, **replaced: str) -> int:
    body = payload(name)
    for old, new in replaced.items():
        body = body.replace(old.replace("_", "-").encode(), new.encode())
    return call_us(body).status_code


def unknown() -> list[str | None]:
    return list(Event.objects.filter(kind="carrier.unknown").order_by("id").values_list("reason", flat=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text", "Is my room ready?"),
        ("image", "This leaks"),
        ("document", "[File: 見積書.pdf]"),
        ("voice", "[Voice message]"),
        ("sticker", "[Sticker]"),
        ("button", "Confirm"),
        ("button_reply", "I will be late"),
        ("list_reply", "Twin room\nGarden side"),
        ("location", "[Location: 清水寺, 京都市東山区清水1丁目294, 34.9948,135.785]"),
        ("contacts", "Hanako private +81 80-9999-8888 hanako@private.example"),
        ("reaction", "👍"),
        ("edit", "Is my room ready at 2?"),
        ("unsupported", "[A message that can't be shown here: poll_creation]"),
        ("order", "[A message that can't be shown here: order]"),
        ("new_kind", "[A message that can't be shown here: hologram]"),
    ],
)
def test_every_message_type_is_recorded_once_with_the_customer_s_name(name: str, text: str) -> None:
    assert [come(name), come(name)] == [200, 200]

    message = Message.objects.get()
    assert (message.text, message.from_name, message.from_address) == (text, "山田 花子", "+819012345678")
    assert message.carrier_id.startswith("wamid.")
    assert message.occurred_at.isoformat() == "2026-11-24T02:00:00+00:00"
    assert json.loads(json.loads(message.details or "")["event"])["type"] == name.split("_", maxsplit=1)[0].replace(
        "voice", "audio"
    ) or name in ("button_reply", "list_reply", "new_kind")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image", ("1003383421387256", "", "image/jpeg")),
        ("document", ("1376223850470843", "見積書.pdf", "application/pdf")),
        ("voice", ("1908647269898587", "", "audio/ogg; codecs=opus")),
    ],
)
def test_media_is_fetched_later(name: str, expected: tuple[str, ...]) -> None:
    come(name)

    row = Media.objects.get()
    assert (row.ref, row.name, row.content_type) == expected


def test_an_edit_is_a_new_message_in_the_same_conversation() -> None:
    come("text")
    come("edit")

    first, second = Message.objects.order_by("id")
    assert first.conversation == second.conversation
    assert [first.text, second.text] == ["Is my room ready?", "Is my room ready at 2?"]


def test_a_reply_and_a_reaction_find_their_conversation() -> None:
    message = write(talk(), "Shall we clean now?")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)

    for name in ("reply", "reaction", "button"):
        come(name)

    answers = Message.objects.filter(text__in=["Yes please", "👍", "Confirm"])
    assert {answer.conversation_id for answer in answers} == {message.conversation_id}


def test_a_request_can_contain_events_of_several_people() -> None:
    message = write(talk(), "Good morning")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)

    assert [come("batch"), come("batch")] == [200, 200]

    names = Message.objects.filter(direction="inbound", text__in=["First", "And me"]).values_list("text", "from_name")
    assert sorted(names) == [("And me", "佐藤"), ("First", "山田 花子")]
    assert Delivery.objects.get(message=message).state == "read"
    assert unknown() == ["field message_template_status_update"]


@pytest.mark.parametrize(
    "name",
    [
        "number_changed",
        "revoke",
        "group_text",
        "user_preferences",
        "another_number",
        "business_app_echo",
        "status_unheard_of",
        "malformed",
    ],
)
def test_other_changes_are_recorded_with_their_payload(name: str) -> None:
    assert [come(name), come(name)] == [200, 200]

    event = Event.objects.get(kind="carrier.unknown")
    assert "payload" in json.loads(event.details or "")
    assert event.reason
    assert not Message.objects.exists()


def test_a_customer_without_a_number_is_identified_by_user_id() -> None:
    come("hidden_number")

    message = Message.objects.get()
    assert message.from_address == "JP.13491208655302741918"
    assert Address.objects.get().value == "JP.13491208655302741918"
    assert registry.channel("whatsapp").recipient(message.from_address) == message.from_address  # type: ignore[attr-defined]


def test_stop_and_start() -> None:
    row = talk().customer.addresses.get(kind="whatsapp")
    come("stop")
    row.refresh_from_db()
    assert row.opted_out_by == "stop"

    come("start")
    row.refresh_from_db()
    assert row.opted_out_at is None


# --- statuses


def test_statuses_in_any_order_find_their_message_by_our_id() -> None:
    message = write(talk(), "Your car is here")
    Delivery.objects.filter(message=message).update(state="sending", due_at=None)

    for name in ("status_read", "status_sent", "status_delivered", "status_sent"):
        assert come(name, MESSAGE_ID=str(message.pk)) == 200

    row = Delivery.objects.get(message=message)
    assert (row.state, row.carrier_id) == ("read", FIRST)
    assert Event.objects.filter(message=message, kind__in=["delivery.read", "delivery.delivered"]).count() == 2


def test_a_failure_is_recorded_with_meta_s_code_and_message() -> None:
    message = write(talk(), "Hello")
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=FIRST, due_at=None)
    come("status_failed", MESSAGE_ID=str(message.pk))

    details = json.loads(Event.objects.get(message=message, kind="delivery.failed").details or "")
    assert Delivery.objects.get(message=message).state == "failed"
    assert details["code"] == "131047"
    assert "24 hours" in details["error"]


def test_a_status_of_an_unknown_message_changes_nothing() -> None:
    assert come("status_read") == 200
    assert not Delivery.objects.exists()


# --- the window


def test_outside_the_24_hours_free_text_is_refused_before_sending() -> None:
    conversation = talk(opened=False)

    with pytest.raises(InvalidMessage, match="24 hours"):
        gateway.send(
            actor=conversation.employee,  # type: ignore[arg-type]
            conversation=conversation,
            text="Hello again",
            channel="whatsapp",
            occurred_at=factories.office_time(),
        )


# --- handshake and signature


def handshake(**query: str) -> Any:
    given = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY, **query}
    return Client().get("/guard/webhooks/whatsapp/", given)


def test_meta_s_handshake_returns_the_challenge() -> None:
    answer = handshake(**{"hub.challenge": "<script>1</script>"})

    assert (answer.status_code, answer.content) == (200, b"<script>1</script>")
    assert answer["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query", [{"hub.verify_token": "wrong"}, {"hub.verify_token": ""}, {"hub.mode": "x"}, {"hub.verify_token": "ü"}]
)
def test_a_handshake_with_a_wrong_token_is_refused(query: dict[str, str]) -> None:
    assert handshake(**query).status_code == 403


def test_the_verify_token_can_be_rotated(settings: Any) -> None:
    configure(settings, VERIFY_TOKEN=["new", VERIFY])

    assert [handshake().status_code, handshake(**{"hub.verify_token": "new"}).status_code] == [200, 200]


@pytest.mark.parametrize("odd", ["", "sha256=", "sha1=" + "0" * 40, "sha256=" + "ü" * 64, "sha256=" + "A" * 64])
def test_malformed_signatures_are_refused_without_a_crash(odd: str) -> None:
    answer = Client().post(
        "/guard/webhooks/whatsapp/", b"{}", content_type="application/json", headers={"X-Hub-Signature-256": odd}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b'{"entry": {}}',
        b'{"entry": [1, null, {"changes": 3}, {"changes": [null, {"value": []}]}]}',
        b"[" * 9000,
    ],
)
def test_a_signed_body_of_another_format_does_no_harm(body: bytes) -> None:
    answer = Client().post(
        "/guard/webhooks/whatsapp/",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature-256": signature(body, SECRET)},
    )
    assert answer.status_code == 200
    assert Event.objects.filter(kind="carrier.unknown").exists()
    assert not Message.objects.exists()

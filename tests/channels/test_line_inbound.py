"""LINE's documented webhooks, and how they are recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import MediaRef
from crm_contact_guard.console.conversation.line import lines
from crm_contact_guard.conversations import names
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.record.models import Event, Message
from tests.channels.carrier_server import Answer
from tests.channels.line_server import SECRET, TOKEN, USER, LineServer
from tests.channels.line_setup import call_line, configure, line_options, payload

pytestmark = pytest.mark.django_db

BACKEND = "crm_contact_guard.channels.line.LineChannel"


@pytest.fixture(autouse=True)
def line(settings: Any) -> Iterator[LineServer]:
    with LineServer().running() as server:
        configure(settings, "line", BACKEND, line_options(server.url))
        yield server


def call(name: str) -> int:
    return call_line(payload("line", name)).status_code


def texts() -> list[str | None]:
    return list(Message.objects.filter(details__isnull=False).order_by("id").values_list("text", flat=True))


def unknown() -> list[str | None]:
    return list(Event.objects.filter(kind="carrier.unknown").values_list("reason", flat=True))


def test_a_text_is_recorded_with_the_event_as_received() -> None:
    assert call("text") == 200

    message = Message.objects.get()
    assert message.text == "明日10時にチェックインできますか?"
    assert message.from_address == USER
    assert message.carrier_id == "444573844083572737"
    assert message.occurred_at == datetime(2026, 11, 24, 6, 0, 1, tzinfo=UTC)
    kept = json.loads(json.loads(message.details or "")["event"])
    assert kept["webhookEventId"] == "01FZ74A0TDDPYRVKNK77XKC301"
    assert "replyToken" not in kept


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text_with_emoji_mention_and_quote", "@All Good Morning!! (love)"),
        ("sticker", "[Sticker]"),
        ("sticker_with_text", "[Sticker: 電話して]"),
        ("location", "[Location: my location, 日本、〒160-0004 東京都新宿区四谷1丁目6番1号 (35.687574, 139.729220)]"),
        ("image_hosted_elsewhere", "[Image] https://example.com/original.jpg"),
        ("sticker_of_a_new_kind", "[A message that can't be shown here: sticker]"),
        ("message_of_a_new_kind", "[A message that can't be shown here: hologram]"),
    ],
)
def test_other_message_types_have_a_readable_text(name: str, text: str) -> None:
    assert call(name) == 200

    assert Message.objects.get().text == text


@pytest.mark.parametrize(
    ("name", "text", "content_type", "file_name"),
    [
        ("image", "[Image]", "image/jpeg", "line-354718705033693859.jpg"),
        ("image_of_a_set", "[Image 2 of 2]", "image/png", "line-354718705033693861.png"),
        ("video", "[Video, 60 s]", "video/mp4", "line-325708.mp4"),
        ("audio", "[Voice message, 65 s]", "audio/mp4", "line-325709.m4a"),
        ("file", "[File: 予約確認書.pdf]", "application/pdf", "予約確認書.pdf"),
    ],
)
def test_files_are_fetched_and_recorded(
    line: LineServer, name: str, text: str, content_type: str, file_name: str
) -> None:
    number = json.loads(payload("line", name))["events"][0]["message"]["id"]
    content = f"content of {name}".encode()
    line.contents[number] = Answer(200, content, {"Content-Type": content_type})

    assert call(name) == 200

    assert Message.objects.get().text == text
    assert media.fetch(Media.objects.get().pk) is not None
    attachment = Attachment.objects.get()
    assert (attachment.content_type, attachment.size) == (content_type, len(content))
    assert attachment.name.rpartition(".")[0] == file_name.rpartition(".")[0]


def test_a_file_beyond_the_limit_is_not_read_completely(line: LineServer, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 1000}
    line.contents["1"] = Answer(200, b"x" * 5_000_000, {"Content-Type": "video/mp4"})

    with pytest.raises(ChannelError, match="larger than 1000 bytes") as caught:
        registry.channel("line").fetch(MediaRef(ref="1"))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        (Answer.of({"message": "Gone"}, 410), True),
        (Answer.of({"message": "Not found"}, 404), True),
        (Answer(202, b"", {}), False),
        (Answer.of({"message": "Internal server error"}, 500), False),
        (Answer(hang_up=True), False),
    ],
)
def test_errors_of_fetching_are_temporary_or_permanent(line: LineServer, answer: Answer, permanent: bool) -> None:
    line.contents["1"] = answer

    with pytest.raises(ChannelError) as caught:
        registry.channel("line").fetch(MediaRef(ref="1"))
    assert caught.value.permanent is permanent


def test_a_quote_leads_to_the_conversation_of_the_quoted_message() -> None:
    call("text")
    first = Message.objects.get()
    quoting = json.loads(payload("line", "text_with_emoji_mention_and_quote"))
    quoting["events"][0]["message"]["quotedMessageId"] = first.carrier_id

    call_line(json.dumps(quoting).encode())

    assert Message.objects.exclude(pk=first.pk).get().conversation_id == first.conversation_id


def test_following_opts_in_and_blocking_opts_out() -> None:
    for name in ("text", "unfollow"):
        call(name)
    assert Address.objects.get().opted_out_at is not None

    again = json.loads(payload("line", "follow_after_block"))
    again["events"][0]["timestamp"] += 60_000
    call_line(json.dumps(again).encode())

    assert Address.objects.get().opted_out_at is None
    assert Event.objects.filter(kind="contact.unfollow").count() == 1
    assert Event.objects.filter(kind="contact.follow").count() == 1


def test_a_new_follower_gets_a_name_before_the_first_message(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        call("follow")

    assert Customer.objects.get().name == "山田 花子"
    assert not Message.objects.exists()


def test_unsending_is_recorded_and_the_message_kept() -> None:
    assert [call(name) for name in ("text", "unsend", "unsend")] == [200] * 3

    message = Message.objects.get()
    assert message.text == "明日10時にチェックインできますか?"
    event = Event.objects.get(kind="message.taken_back")
    assert (event.message_id, event.actor_type) == (message.pk, "customer")
    assert [line.taken_back for line in lines([message], [])] == [True]


def test_unsending_an_unknown_message_is_recorded() -> None:
    assert call("unsend") == 200

    assert json.loads(Event.objects.get(kind="message.taken_back").details or "") == {
        "carrier_id": "444573844083572737"
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("group_text", "message in a group: only one-to-one chats are recorded as conversations"),
        ("room_text", "message in a room: only one-to-one chats are recorded as conversations"),
        ("group_join", "join in a group: only one-to-one chats are recorded as conversations"),
        ("group_unsend", "unsend in a group: only one-to-one chats are recorded as conversations"),
        ("group_member_joined", "memberJoined in a group: only one-to-one chats are recorded as conversations"),
        ("postback", "postback contains no message"),
        ("account_link", "accountLink contains no message"),
        ("event_of_a_new_kind", "unknown event 'telepathy'"),
        ("event_without_id", "unknown event 'message'"),
        ("user_without_id", "message without a user"),
    ],
)
def test_other_events_are_recorded_as_unknown_with_their_payload(name: str, reason: str) -> None:
    assert [call(name) for _ in range(2)] == [200, 200]

    event = Event.objects.get(kind="carrier.unknown")
    assert event.reason == reason
    given = json.loads(payload("line", name))["events"][0]
    given.pop("replyToken", None)
    assert json.loads(json.loads(event.details or "")["payload"]) == given
    assert not Message.objects.exists()


def test_a_redelivered_event_is_the_same_event() -> None:
    assert [call(name) for name in ("text", "redelivered_text", "text")] == [200] * 3

    assert Message.objects.count() == 1


def test_the_console_s_verification_is_answered() -> None:
    assert call("verification") == 200
    assert not Message.objects.exists()


def test_an_unknown_sender_s_name_is_asked_for_once_after_the_commit(
    line: LineServer, django_capture_on_commit_callbacks: Any
) -> None:
    for name in ("text", "sticker", "location"):
        with django_capture_on_commit_callbacks(execute=True):
            call(name)
            assert not line.calls or name != "text"

    assert [one.path for one in line.calls] == [f"/v2/bot/profile/{USER}"]
    assert Customer.objects.get().name == "山田 花子"
    assert [message.from_name for message in Message.objects.order_by("id")] == ["••••", "山田 花子", "山田 花子"]


def test_a_name_that_the_carrier_does_not_give_now_is_asked_for_again(
    line: LineServer, django_capture_on_commit_callbacks: Any
) -> None:
    line.token = "revoked"
    with django_capture_on_commit_callbacks(execute=True):
        assert call("text") == 200
    assert Message.objects.get().text == "明日10時にチェックインできますか?"

    line.token = TOKEN
    with django_capture_on_commit_callbacks(execute=True):
        call("sticker")

    assert Customer.objects.get().name == "山田 花子"


def test_a_name_given_meanwhile_stays(line: LineServer) -> None:
    call("text")
    Customer.objects.update(name="Hanako Yamada")

    names.learn(Customer.objects.get().pk, "line")

    assert Customer.objects.get().name == "Hanako Yamada"
    assert not line.calls


@pytest.mark.parametrize("secrets", [SECRET, [SECRET], ["new", SECRET], [SECRET, "old"]])
def test_each_secret_is_accepted_during_a_rotation(line: LineServer, settings: Any, secrets: Any) -> None:
    configure(settings, "line", BACKEND, line_options(line.url, CHANNEL_SECRET=secrets))

    assert call("text") == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"events": {}}', b'{"events": null}', b"null", b"no json", b'{"events": [}']
)
def test_a_signed_request_that_is_not_a_line_webhook_is_recorded_once(body: bytes) -> None:
    assert [call_line(body).status_code for _ in range(2)] == [200, 200]

    assert [json.loads(event.details or "")["payload"] for event in Event.objects.all()] == [body.decode()]


@pytest.mark.parametrize("event", ["null", "1", '"text"', "[]", "{}", '{"type": "message", "timestamp": 1e400}'])
def test_an_invalid_event_is_recorded(event: str) -> None:
    assert call_line(b'{"events": [' + event.encode() + b"]}").status_code == 200

    assert len(unknown()) == 1

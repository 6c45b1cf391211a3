"""LINE Official Account: the required tests, and tests specific to LINE, with its library and a socket."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks import CheckMessage
from django.test import Client

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import DeliveryStatus, FileIn, OutboundFile, OutboundMessage
from crm_contact_guard.channels.line import LineChannel
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.exceptions import ChannelError, InvalidMessage
from tests import factories
from tests.channels.carrier_server import HANG_UP, Answer
from tests.channels.cases import ChannelCases, Payload, SendCases, WebhookCases
from tests.channels.line_server import BROKEN, MONTHLY_LIMIT, TOO_FAST, USER, LineServer, signature
from tests.channels.line_setup import line_options

OTHER = "U00000000000000000000000000000000"


def event(event_id: str, type_: str, seconds: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "webhookEventId": event_id,
        "deliveryContext": {"isRedelivery": False},
        "timestamp": 1795500000000 + seconds * 1000,
        "source": {"type": "user", "userId": USER},
        "mode": "active",
        **more,
    }


def body(*events: dict[str, Any]) -> Payload:
    return Payload(body=json.dumps({"destination": "U1", "events": list(events)}, ensure_ascii=False).encode())


class LineCases:
    backend = "crm_contact_guard.channels.line.LineChannel"
    alias = "line"
    customer_address = USER
    secret_option = "CHANNEL_SECRET"
    carrier: LineServer

    @pytest.fixture
    def carrier(self) -> Iterator[LineServer]:  # type: ignore[no-redef]
        with LineServer().running() as server:
            self.line = server
            yield server

    def options(self) -> dict[str, Any]:
        return line_options(self.line.url, CHANNEL_SECRET=WebhookCases.new_secret)


def test_a_possible_duplicate_is_announced_to_the_customer() -> None:
    from crm_contact_guard.channels.line.outbound import message_objects

    message = OutboundMessage(
        message_id=str(uuid4()),
        to_name="",
        to_address=USER,
        from_name="Aoi",
        text="Your room is ready.",
        occurred_at=factories.office_time(),
        possible_duplicate=True,
    )

    texts = [one.text for one in message_objects(message, with_notice=True)]
    assert texts == ["(You may have this message already.)", "Your room is ready."]


class TestWebhook(LineCases, WebhookCases):
    answer_status = 200

    def payload(self, *, event_id: str, text: str) -> Payload:
        message = {"id": f"9{event_id[1:]}", "type": "text", "quoteToken": "q", "text": text}
        return body(event(event_id, "message", replyToken="r", message=message))

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return {"X-Line-Signature": signature(payload.body, secret)}

    def unknown(self, *, event_id: str) -> Payload:
        return body(event(event_id, "telepathy"))

    def opt_out(self, *, event_id: str) -> Payload:
        return body(event(event_id, "unfollow", 1))

    def opt_in(self, *, event_id: str) -> Payload:
        return body(event(event_id, "follow", 2, replyToken="r", follow={"isUnblocked": True}))


class TestSend(LineCases, SendCases):
    def fail_temporarily(self) -> None:
        self.line.failures.append(BROKEN)

    def fail_permanently(self) -> None:
        text = "The property, 'to', in the request body is invalid (line: -, column: -)"
        self.line.failures.append(Answer.of({"message": text}, 400))

    def be_busy(self) -> None:
        self.line.failures.append(replace(TOO_FAST, headers={**TOO_FAST.headers, "Retry-After": "7"}))

    def arrived(self) -> list[str]:
        return [message["text"] for message in self.line.delivered if message["text"] != NOTICE]

    def test_a_text_that_is_too_long_is_not_recorded(self) -> None:
        talk = self.talk()
        assert talk.employee is not None
        with pytest.raises(InvalidMessage, match="5002"):
            gateway.send(actor=talk.employee, conversation=talk, text="🏨" * 2501, channel="line")

    def test_a_text_of_maximum_length_is_delivered(self) -> None:
        message = self.written("🏨" * 2500)

        assert self.deliver(message)[0].state == "sent"

    def test_a_refusal_after_a_garbled_response_does_not_mean_undelivered(self) -> None:
        message = self.written()
        self.line.accepts_before_failing = True
        self.line.failures.append(Answer(200, b"\0<html>", {"Content-Type": "text/html"}))
        assert self.deliver(message)[0].state == "queued"
        assert len(self.arrived()) == 1
        self.line.accepts_before_failing = False
        Delivery.objects.filter(message=message).update(due_at=message.recorded_at)
        Carrier.objects.all().delete()
        self.fail_permanently()

        assert self.deliver(message)[0].state == "uncertain"


class TestPicture(LineCases, ChannelCases):
    """An image from the upload to LINE's servers, which fetch it by URL."""

    def test_line_can_fetch_only_the_sent_file(self, settings: Any) -> None:
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": "https://kaede.example"}
        talk = self.talk()
        assert talk.employee is not None
        content = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
        message = gateway.send(
            actor=talk.employee,
            conversation=talk,
            text="This is your room.",
            channel="line",
            attachments=[FileIn(name="room.png", content_type="image/png", content=content)],
            occurred_at=factories.office_time(),
        ).message
        assert message is not None
        attempts.deliver(message.pk)

        address = self.line.delivered[-1]["originalContentUrl"]
        path = address.removeprefix("https://kaede.example")
        answer = Client().get(path)
        assert answer["Content-Type"] == "image/png"
        assert b"".join(answer.streaming_content) == content
        assert Client().get(path.replace("/carrier/", "/carrier/x")).status_code == 404


NOTICE = "This conversation is kept by Hotel Kaede so that we can answer you well and protect both sides."


@pytest.fixture
def line() -> Iterator[LineServer]:
    with LineServer().running() as server:
        yield server


@pytest.fixture
def channel(line: LineServer) -> LineChannel:
    return LineChannel("line", line_options(line.url))


def outbound(**changes: Any) -> OutboundMessage:
    given = {
        "message_id": str(uuid4()),
        "to_name": "山田 花子",
        "to_address": USER,
        "from_name": "Aoi",
        "text": "お部屋の準備ができました。",
        "notice": NOTICE,
        "references": ("earlier",),
        "occurred_at": factories.office_time(),
    }
    return OutboundMessage(**{**given, **changes})


def test_a_repeat_with_the_same_retry_key_counts_as_sent(line: LineServer, channel: LineChannel) -> None:
    message = outbound()
    first, second = channel.send(message), channel.send(message)

    assert [one["text"] for one in line.delivered] == [message.text]
    assert [one.header("X-Line-Retry-Key") for one in line.calls] == [message.message_id] * 2
    assert first.carrier_id == second.carrier_id
    assert second.status is DeliveryStatus.SENT
    assert second.detail["accepted_request_id"] == first.detail["request_id"]


def test_a_lost_response_is_resolved_by_the_retry(line: LineServer, channel: LineChannel) -> None:
    message = outbound()
    line.failures.append(HANG_UP)
    line.accepts_before_failing = True

    with pytest.raises(ChannelError) as caught:
        channel.send(message)
    assert (caught.value.permanent, caught.value.uncertain) == (False, True)

    assert channel.send(message).carrier_id
    assert len(line.delivered) == 1


def test_an_unreachable_server_is_not_uncertain() -> None:
    with LineServer().running() as server:
        channel = LineChannel("line", line_options(server.url))
    with pytest.raises(ChannelError) as caught:
        channel.send(outbound())

    assert (caught.value.permanent, caught.value.uncertain) == (False, False)


@pytest.mark.parametrize(
    ("answer", "permanent", "uncertain", "words"),
    [
        (MONTHLY_LIMIT, True, False, "You have reached your monthly limit"),
        (TOO_FAST, False, False, "rate limit has been exceeded"),
        (BROKEN, False, True, "Internal server error"),
        (Answer.of({"message": "Access to this API is not available for your account"}, 403), True, False, "403"),
        (Answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}), False, True, "502"),
        (Answer(400, b"[1]", {"Content-Type": "application/json"}), True, False, "400"),
    ],
)
def test_refusals_are_temporary_or_permanent(
    line: LineServer, answer: Answer, permanent: bool, uncertain: bool, words: str
) -> None:
    channel = LineChannel("line", line_options(line.url))
    line.failures.append(answer)

    with pytest.raises(ChannelError, match=words) as caught:
        channel.send(outbound())
    assert (caught.value.permanent, caught.value.uncertain) == (permanent, uncertain)


def test_an_unknown_user_is_a_permanent_error(channel: LineChannel) -> None:
    with pytest.raises(ChannelError, match="'to'") as caught:
        channel.send(outbound(to_address=OTHER))
    assert caught.value.permanent


def test_a_revoked_token_is_a_temporary_error_that_does_not_contain_it(line: LineServer, channel: LineChannel) -> None:
    line.token = "renewed"

    with pytest.raises(ChannelError, match="Authentication failed") as caught:
        channel.send(outbound())
    assert not caught.value.permanent
    assert "line-access-token" not in f"{caught.value} {caught.value.detail}"


def file(**changes: Any) -> OutboundFile:
    given = {
        "name": "room.jpg",
        "content_type": "image/jpeg",
        "size": 500_000,
        "sha256": "0" * 64,
        "open": lambda: BytesIO(b"picture"),
        "url": "https://kaede.example/guard/media/token/room.jpg",
    }
    return OutboundFile(**{**given, **changes})


def test_images_are_fetched_by_line_and_other_files_sent_as_links(line: LineServer, channel: LineChannel) -> None:
    pdf = file(name="map.pdf", content_type="application/pdf", size=2_300_000, url="https://kaede.example/guard/m/2")
    large = file(name="large.png", content_type="image/png", size=4_000_000, url="https://kaede.example/guard/m/3")

    receipt = channel.send(outbound(files=(file(), pdf, large)))

    text, picture, links = line.delivered
    assert text["text"] == "お部屋の準備ができました。"
    assert picture["originalContentUrl"] == picture["previewImageUrl"] == file().url
    assert links["text"].splitlines() == [
        "Files for you (the links expire):",
        "map.pdf (2.2 MB)",
        pdf.url,
        "large.png (3.8 MB)",
        large.url,
    ]
    assert len(receipt.detail["message_ids"].split()) == 3


def test_a_file_without_text_is_a_message(line: LineServer, channel: LineChannel) -> None:
    channel.send(outbound(text="", files=(file(),)))

    assert [one["type"] for one in line.delivered] == ["image"]


@pytest.mark.parametrize("url", ["", "http://kaede.example/guard/m/1"])
def test_a_file_that_line_can_not_fetch_is_refused_before_sending(
    line: LineServer, channel: LineChannel, url: str
) -> None:
    with pytest.raises(ChannelError, match=r"room\.jpg") as caught:
        channel.send(outbound(files=(file(url=url),)))

    assert caught.value.permanent
    assert not line.calls


def test_the_first_message_contains_the_recording_notice(line: LineServer, channel: LineChannel) -> None:
    channel.send(outbound(references=()))
    channel.send(outbound(references=("461230966842064897",)))

    assert [one["text"] == NOTICE for one in line.delivered] == [True, False, False]


def test_the_notice_can_be_turned_off(line: LineServer) -> None:
    LineChannel("line", line_options(line.url, NOTICE=False)).send(outbound(references=()))

    assert len(line.delivered) == 1


def ids(channel: LineChannel) -> list[str]:
    found: list[CheckMessage] = list(channel.check())
    assert all(message.hint for message in found)
    return [str(message.id).removeprefix("crm_contact_guard.") for message in found]


def test_missing_options_are_reported_with_their_place_in_the_console(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": "https://kaede.example"}
    assert ids(LineChannel("line", line_options(""))) == []
    assert ids(LineChannel("line", {})) == ["E142", "E143"]


def test_images_need_https(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": "http://kaede.example"}

    assert ids(LineChannel("line", line_options(""))) == ["W141"]


def test_a_missing_library_is_reported(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": "https://kaede.example"}
    monkeypatch.setitem(sys.modules, "linebot", None)

    assert ids(LineChannel("line", line_options(""))) == ["E141"]

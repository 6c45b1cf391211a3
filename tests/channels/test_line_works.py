"""LINE WORKS bot: the required tests, and tests specific to LINE WORKS, with a local server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm_contact_guard.channels.base import DeliveryStatus, MediaRef, OutboundFile, OutboundMessage
from crm_contact_guard.channels.line_works import LineWorksChannel
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.record.models import Event, Message
from tests import factories
from tests.channels.carrier_server import HANG_UP, Answer
from tests.channels.cases import Payload, SendCases, WebhookCases
from tests.channels.line_setup import call_works, configure, payload, works_options
from tests.channels.line_works_server import (
    BROKEN,
    NOT_FOUND,
    PRIVATE_KEY,
    TOO_FAST,
    USER,
    LineWorksServer,
    signature,
)

BACKEND = "crm_contact_guard.channels.line_works.LineWorksChannel"
NOTICE = "This conversation is kept by Hotel Kaede so that we can answer you well and protect both sides."


class WorksCases:
    backend = BACKEND
    alias = "works"
    customer_address = USER
    secret_option = "BOT_SECRET"

    @pytest.fixture
    def carrier(self) -> Iterator[LineWorksServer]:
        with LineWorksServer().running() as server:
            self.works = server
            yield server

    def options(self) -> dict[str, Any]:
        return works_options(self.works.url, BOT_SECRET=WebhookCases.new_secret)


class TestWebhook(WorksCases, WebhookCases):
    answer_status = 200

    def callback(self, event_id: str, **more: Any) -> Payload:
        source = {"userId": USER, "domainId": 40029600}
        # Callbacks have no id; they differ in the time (milliseconds).
        seconds, thousandths = divmod(int(event_id[1:]), 1000)
        at = f"2026-11-24T05:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}Z"
        return Payload(body=json.dumps({"source": source, "issuedTime": at, **more}, ensure_ascii=False).encode())

    def payload(self, *, event_id: str, text: str) -> Payload:
        return self.callback(event_id, type="message", content={"type": "text", "text": text})

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        return {"X-WORKS-Signature": signature(payload.body, secret), "X-WORKS-BotId": "2000001"}

    def unknown(self, *, event_id: str) -> Payload:
        return self.callback(event_id, type="telepathy")


class TestSend(WorksCases, SendCases):
    def fail_temporarily(self) -> None:
        self.works.failures.append(BROKEN)

    def fail_permanently(self) -> None:
        self.works.failures.append(NOT_FOUND)

    def be_busy(self) -> None:
        self.works.failures.append(replace(TOO_FAST, headers={"rateLimit-reset": "7"}))

    def arrived(self) -> list[str]:
        return [message["text"] for message in self.works.delivered if message["text"] != NOTICE]


@pytest.fixture
def works() -> Iterator[LineWorksServer]:
    with LineWorksServer().running() as server:
        yield server


@pytest.fixture
def channel(works: LineWorksServer) -> LineWorksChannel:
    return LineWorksChannel("works", works_options(works.url))


def outbound(**changes: Any) -> OutboundMessage:
    given = {
        "message_id": str(uuid4()),
        "to_name": "佐藤 健",
        "to_address": USER,
        "from_name": "Aoi",
        "text": "納品書をお送りします。",
        "notice": NOTICE,
        "references": ("earlier",),
        "occurred_at": factories.office_time(),
    }
    return OutboundMessage(**{**given, **changes})


def file(**changes: Any) -> OutboundFile:
    given = {
        "name": "納品書.pdf",
        "content_type": "application/pdf",
        "size": 11,
        "sha256": "0" * 64,
        "open": lambda: BytesIO(b"%PDF-1.7 ..."),
    }
    return OutboundFile(**{**given, **changes})


def test_the_access_token_is_reused(works: LineWorksServer, channel: LineWorksChannel) -> None:
    for number in range(3):
        assert channel.send(outbound(text=f"{number}")).status is DeliveryStatus.SENT

    assert [one["text"] for one in works.delivered] == ["0", "1", "2"]
    assert works.scopes == ["bot bot.read user.read"]


def test_a_revoked_token_is_renewed_without_a_failed_message(works: LineWorksServer, channel: LineWorksChannel) -> None:
    channel.send(outbound())
    works.revoked.add(works.tokens[0])

    channel.send(outbound())

    assert len(works.delivered) == len(works.tokens) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"CLIENT_SECRET": "wrong"}, {"SERVICE_ACCOUNT": "else@kaede.example"}, {"PRIVATE_KEY": "-----BEGIN nothing"}],
)
def test_a_refused_account_is_a_temporary_error(works: LineWorksServer, wrong: dict[str, str]) -> None:
    with pytest.raises(ChannelError, match="access token") as caught:
        LineWorksChannel("works", works_options(works.url, **wrong)).send(outbound())

    assert (caught.value.permanent, caught.value.uncertain) == (False, False)
    assert "works-client-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "permanent", "uncertain", "words"),
    [
        (TOO_FAST, False, False, "TOO_MANY_REQUESTS"),
        (BROKEN, False, True, "INTERNAL_SERVER_ERROR"),
        (NOT_FOUND, True, False, "NOT_FOUND"),
        (Answer.of({"code": "FORBIDDEN", "description": "no permission"}, 403), True, False, "no permission"),
        (Answer(502, b"<html>", {}), False, True, "502"),
        (HANG_UP, False, True, "not reachable"),
    ],
)
def test_refusals_are_temporary_or_permanent(
    works: LineWorksServer, answer: Answer, permanent: bool, uncertain: bool, words: str
) -> None:
    works.failures.append(answer)

    with pytest.raises(ChannelError, match=words) as caught:
        LineWorksChannel("works", works_options(works.url)).send(outbound())
    assert (caught.value.permanent, caught.value.uncertain) == (permanent, uncertain)


def test_an_unreachable_server_is_not_uncertain() -> None:
    with LineWorksServer().running() as server:
        channel = LineWorksChannel("works", works_options(server.url))
    with pytest.raises(ChannelError) as caught:
        channel.send(outbound())

    assert (caught.value.permanent, caught.value.uncertain) == (False, False)


def test_files_are_uploaded_and_sent_one_by_one(works: LineWorksServer, channel: LineWorksChannel) -> None:
    picture = file(name="room.png", content_type="image/png", open=lambda: BytesIO(b"\x89PNG"))

    channel.send(outbound(files=(file(), picture)))

    assert [one["type"] for one in works.delivered] == ["text", "file", "image"]
    pdf, png = works.uploads.values()
    assert b"%PDF-1.7 ..." in pdf
    assert b'name="Filedata"; filename="room.png"' in png


def test_if_a_file_is_refused_the_text_is_not_sent(works: LineWorksServer, channel: LineWorksChannel) -> None:
    works.refused_uploads = True

    with pytest.raises(ChannelError, match="extension") as caught:
        channel.send(outbound(files=(file(name="run.exe"),)))
    assert caught.value.permanent
    assert not works.delivered


def test_sent_parts_are_not_repeated_if_a_later_part_fails(works: LineWorksServer, channel: LineWorksChannel) -> None:
    works.failures_after = 1
    works.failures.append(BROKEN)

    with pytest.raises(ChannelError, match=r"arrived, 納品書\.pdf perhaps did not") as caught:
        channel.send(outbound(files=(file(),)))

    assert caught.value.permanent
    assert caught.value.detail["arrived"] == "text"
    assert [one["type"] for one in works.delivered] == ["text"]


def test_the_first_message_contains_the_recording_notice(works: LineWorksServer, channel: LineWorksChannel) -> None:
    channel.send(outbound(references=()))

    assert [one["text"] for one in works.delivered] == [NOTICE, "納品書をお送りします。"]


def test_a_possible_duplicate_is_announced(works: LineWorksServer, channel: LineWorksChannel) -> None:
    channel.send(outbound(possible_duplicate=True, language="en"))

    assert works.delivered[0]["text"] == "(You may have this message already.)"


# --- receiving


@pytest.fixture
def configured(works: LineWorksServer, settings: Any, db: None) -> LineWorksServer:
    configure(settings, "works", BACKEND, works_options(works.url))
    return works


def call(name: str) -> int:
    return call_works(payload("line_works", name)).status_code


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text", "今日の納品は14時でお願いします"),
        ("text_with_postback", "利用開始"),
        ("location", "[Location: 日本、〒160-0004 東京都新宿区四谷1丁目6番1号 (35.687574, 139.72922)]"),
        ("sticker", "[Sticker]"),
        ("message_of_a_new_kind", "[A message that can't be shown here: hologram]"),
    ],
)
def test_messages_are_readable(configured: LineWorksServer, name: str, text: str) -> None:
    assert [call(name) for _ in range(2)] == [200, 200]

    assert Message.objects.get().text == text


def test_a_member_s_name_is_asked_for_after_the_commit(
    configured: LineWorksServer, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        call("text")
        assert not configured.calls

    assert Message.objects.get().conversation.customer.name == "佐藤 健"


@pytest.mark.parametrize(
    ("name", "text"), [("image", "[Image]"), ("file", "[File]"), ("audio", "[Voice message]"), ("video", "[Video]")]
)
def test_files_are_fetched_by_following_the_redirect(configured: LineWorksServer, name: str, text: str) -> None:
    file_id = json.loads(payload("line_works", name))["content"]["fileId"]
    headers = {
        "Content-Type": "image/png",
        "Content-Disposition": "attachment; filename*=UTF-8''%E5%86%99%E7%9C%9F.png",
    }
    configured.attachments[file_id] = Answer(200, b"\x89PNG", headers)

    assert call(name) == 200

    assert Message.objects.get().text == text
    assert media.fetch(Media.objects.get().pk) is not None
    assert (Attachment.objects.get().name, Attachment.objects.get().size) == ("写真.png", 4)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("group_text", "message in a room: only one-to-one chats are recorded as conversations"),
        ("join", "join in a room: only one-to-one chats are recorded as conversations"),
        ("leave", "leave in a room: only one-to-one chats are recorded as conversations"),
        ("joined", "joined in a room: only one-to-one chats are recorded as conversations"),
        ("left", "left in a room: only one-to-one chats are recorded as conversations"),
        ("join_without_milliseconds", "join in a room: only one-to-one chats are recorded as conversations"),
        ("postback", "postback contains no message"),
        ("event_of_a_new_kind", "unknown event 'telepathy'"),
        ("message_without_content", "message without content"),
    ],
)
def test_other_events_are_recorded_with_their_payload(configured: LineWorksServer, name: str, reason: str) -> None:
    assert [call(name) for _ in range(2)] == [200, 200]

    event = Event.objects.get(kind="carrier.unknown")
    assert event.reason == reason
    given = json.loads(json.loads(event.details or "")["payload"])
    assert given == json.loads(payload("line_works", name))
    assert not Message.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"no json", b"\xff"])
def test_an_invalid_callback_is_recorded(configured: LineWorksServer, body: bytes) -> None:
    assert call_works(body).status_code == 200
    assert Event.objects.get(kind="carrier.unknown").subject_id == "works"


def test_a_file_is_read_up_to_the_limit(configured: LineWorksServer, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 1000}
    configured.attachments["1"] = Answer(200, b"x" * 5_000_000, {"Content-Type": "video/mp4"})

    with pytest.raises(ChannelError, match="larger than 1000 bytes") as caught:
        LineWorksChannel("works", works_options(configured.url)).fetch(MediaRef(ref="1"))
    assert caught.value.permanent


def test_the_token_is_not_sent_to_other_hosts(configured: LineWorksServer) -> None:
    configured.redirect_to = "http://localhost.example/steal"
    configured.attachments["1"] = Answer(200, b"x")

    with pytest.raises(ChannelError, match="no download URL"):
        LineWorksChannel("works", works_options(configured.url)).fetch(MediaRef(ref="1"))


# --- settings


def ids(channel: LineWorksChannel) -> list[str]:
    found = list(channel.check())
    assert all(message.hint for message in found)
    return [str(message.id).removeprefix("crm_contact_guard.") for message in found]


def test_missing_options_are_reported_with_their_place_in_the_console(tmp_path: Path) -> None:
    assert ids(LineWorksChannel("works", works_options("http://127.0.0.1:1"))) == []
    assert ids(LineWorksChannel("works", {})) == ["E152"] * 5 + ["E153"]
    key = tmp_path / "works.key"
    assert ids(LineWorksChannel("works", works_options("", PRIVATE_KEY=str(key)))) == ["E154"]
    key.write_text(PRIVATE_KEY)
    assert ids(LineWorksChannel("works", works_options("", PRIVATE_KEY=str(key)))) == []


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)

    assert ids(LineWorksChannel("works", works_options(""))) == ["E151"]

"""Sending and fetching with the WhatsApp Cloud API: the real library with a server that behaves like Meta's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import MediaRef, OutboundFile, OutboundMessage, OutboundTemplate
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.record.models import Event, Message
from tests.channels.carrier_server import HANG_UP, Answer
from tests.channels.meta_server import (
    CUSTOMER,
    NOT_ON_WHATSAPP,
    NUMBER_ID,
    OUTSIDE_WINDOW,
    OVERLOADED,
    RATE,
    TOO_OFTEN,
    MetaServer,
    call_us,
    payload,
    refusal,
)
from tests.channels.whatsapp_setup import configure, talk, write

pytestmark = pytest.mark.django_db

OURS = "0192f0c1-0000-7000-8000-000000000001"


@pytest.fixture
def meta(settings: Any) -> Iterator[MetaServer]:
    with MetaServer().running() as server:
        configure(settings, server.url)
        yield server


def outbound(**changes: Any) -> OutboundMessage:
    given = OutboundMessage(
        message_id=OURS,
        to_name="Hanako",
        to_address="090-1234-5678",
        from_name="Aoi",
        text="Your car is here.",
        notice="This conversation is kept.",
        references=("wamid.1",),
        occurred_at=datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
    )
    return replace(given, **changes)


def a_file(name: str, content_type: str, content: bytes = b"content") -> OutboundFile:
    return OutboundFile(
        name=name, content_type=content_type, size=len(content), sha256="0" * 64, open=lambda: io.BytesIO(content)
    )


def send(**changes: Any) -> str:
    return registry.channel("whatsapp").send(outbound(**changes)).carrier_id


def refused(**changes: Any) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(**changes)
    return caught.value


# --- messages


def test_a_message_is_sent_to_the_digits_with_our_id(meta: MetaServer) -> None:
    assert send() == "wamid.0000000000000001"

    sent = meta.messages[0]
    assert (sent["to"], sent["text"]["body"]) == (CUSTOMER, "Your car is here.")
    assert sent["biz_opaque_callback_data"] == OURS


def test_only_the_first_message_contains_the_notice(meta: MetaServer) -> None:
    send(references=())

    assert meta.messages[0]["text"]["body"] == "Your car is here.\n\nThis conversation is kept."


def test_a_customer_without_a_number_is_addressed_by_user_id(meta: MetaServer) -> None:
    send(to_address="JP.13491208655302741918")

    assert meta.messages[0]["recipient"] == "JP.13491208655302741918"
    assert "to" not in meta.messages[0]


@pytest.mark.parametrize(
    ("name", "content_type", "kind"),
    [
        ("部屋.jpg", "image/jpeg", "image"),
        ("見積書.pdf", "application/pdf", "document"),
        ("tour.mp4", "video/mp4", "video"),
        ("voice.ogg", "audio/ogg", "document"),  # WhatsApp has no captions for audio
    ],
)
def test_a_file_is_uploaded_and_sent_with_the_text_as_caption(
    name: str, content_type: str, kind: str, meta: MetaServer
) -> None:
    send(files=(a_file(name, content_type),))

    sent = meta.messages[0]
    assert (sent["type"], sent[kind]["caption"]) == (kind, "Your car is here.")
    assert meta.uploads[sent[kind]["id"]] == (name, content_type, b"content")
    if kind == "document":
        assert sent["document"]["filename"] == name


def test_a_large_image_is_sent_as_a_document(meta: MetaServer) -> None:
    picture = replace(a_file("roof.jpg", "image/jpeg"), size=5 * 1024 * 1024 + 1)
    send(files=(picture,))

    assert meta.messages[0]["type"] == "document"


def test_audio_without_text_is_sent_as_audio(meta: MetaServer) -> None:
    send(text="", files=(a_file("voice.ogg", "audio/ogg"),))

    assert meta.messages[0]["type"] == "audio"


def test_a_text_too_long_for_a_caption_is_sent_after_the_file(meta: MetaServer) -> None:
    sent = send(text="あ" * 1025, files=(a_file("a.pdf", "application/pdf"),))

    assert [message["type"] for message in meta.messages] == ["document", "text"]
    assert sent == "wamid.0000000000000002"


def test_a_failed_text_after_its_file_is_uncertain(meta: MetaServer) -> None:
    channel = registry.channel("whatsapp")
    original = meta.answer

    def answer(call: Any) -> Answer:
        return OVERLOADED if call.path.endswith("/messages") and call.json["type"] == "text" else original(call)

    meta.answer = answer  # type: ignore[method-assign]
    with pytest.raises(ChannelError) as caught:
        channel.send(outbound(text="あ" * 1025, files=(a_file("a.pdf", "application/pdf"),)))
    assert (caught.value.permanent, caught.value.uncertain) == (False, True)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, [{"type": "text", "text": "花子"}, {"type": "text", "text": "10:00"}]),
        (
            {"NAMED_PARAMETERS": True},
            [
                {"type": "text", "text": "花子", "parameter_name": "name"},
                {"type": "text", "text": "10:00", "parameter_name": "time"},
            ],
        ),
    ],
)
def test_outside_the_window_an_approved_template_is_sent(
    options: dict[str, Any], parameters: list[dict[str, str]], meta: MetaServer, settings: Any
) -> None:
    configure(settings, meta.url, **options)
    template = OutboundTemplate(
        name="reminder", language="ja", variables={"name": "花子", "time": "10:00"}, carrier_id="appointment_reminder"
    )
    send(to_address=f"+{OUTSIDE_WINDOW}", template=template)

    sent = meta.messages[0]["template"]
    assert (sent["name"], sent["language"]) == ("appointment_reminder", {"code": "ja"})
    assert sent["components"] == [{"type": "body", "parameters": parameters}]


def test_our_language_codes_are_mapped_to_meta_s(meta: MetaServer, settings: Any) -> None:
    configure(settings, meta.url, TEMPLATE_LANGUAGES={"en": "en_US"})
    block = OutboundTemplate(name="r", language="en", variables={}, carrier_id="appointment_reminder")
    send(template=block)
    error = refused(template=replace(block, language="tlh"))

    assert meta.messages[0]["template"]["language"] == {"code": "en_US"}
    assert "components" not in meta.messages[0]["template"]
    assert error.permanent


# --- errors


@pytest.mark.parametrize(
    ("to", "permanent", "code"),
    [
        (OUTSIDE_WINDOW, True, "131047"),
        (NOT_ON_WHATSAPP, True, "131026"),
        (TOO_OFTEN, False, "131056"),
        ("at the desk", True, "131009"),
    ],
)
def test_meta_s_codes_determine_permanent_errors(to: str, permanent: bool, code: str, meta: MetaServer) -> None:
    error = refused(to_address=to if " " in to else f"+{to}")

    assert (error.permanent, error.uncertain, error.detail["code"]) == (permanent, False, code)


@pytest.mark.parametrize(
    ("answer", "permanent", "uncertain", "retry_after"),
    [
        (RATE, False, False, 7),
        (refusal(400, 131056, "pair rate limit hit"), False, False, 60),
        (refusal(400, 80007, "Rate limit issues"), False, False, None),
        (OVERLOADED, False, False, None),
        (refusal(401, 190, "Error validating access token: Session has expired"), False, False, None),
        (refusal(403, 10, "Application does not have permission for this action"), False, False, None),
        (refusal(400, 132001, "Template name does not exist in the translation"), True, False, None),
        (Answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}), False, True, None),
        (Answer(200, b"not json"), False, True, None),
        (Answer(200, b"{}"), False, True, None),
        (HANG_UP, False, True, None),
    ],
)
def test_errors_are_classified(
    answer: Answer, permanent: bool, uncertain: bool, retry_after: float | None, meta: MetaServer
) -> None:
    meta.failures.append(answer)
    error = refused()

    assert (error.permanent, error.uncertain, error.retry_after) == (permanent, uncertain, retry_after)


def test_an_unreachable_api_is_not_uncertain(settings: Any) -> None:
    configure(settings, "http://127.0.0.1:9")

    assert (refused().permanent, refused().uncertain) == (False, False)


def test_a_message_with_a_lost_response_is_not_resent_after_a_status(meta: MetaServer) -> None:
    message = write(talk(), "Your car is here")
    meta.failures.append(HANG_UP)
    meta.accepts_before_failing = True
    assert attempts.deliver(message.pk) is not None

    assert call_us(payload("status_delivered").replace(b"MESSAGE-ID", str(message.pk).encode())).status_code == 200
    Delivery.objects.filter(message=message).exclude(due_at=None).update(due_at=message.recorded_at)
    attempts.deliver(message.pk)

    assert (Delivery.objects.get(message=message).state, len(meta.messages)) == ("delivered", 1)


def test_errors_do_not_contain_the_token(meta: MetaServer, settings: Any) -> None:
    configure(settings, meta.url, ACCESS_TOKEN="EAAsecret")

    assert "EAAsecret" not in repr(refused())


# --- media


PICTURE = ("image/jpeg", b"\xff\xd8\xff\xe0 a picture")


def fetch_refused(ref: str = "1003383421387256") -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        registry.channel("whatsapp").fetch(MediaRef(ref=ref))
    return caught.value


def test_media_is_fetched_with_our_token_and_recorded(meta: MetaServer) -> None:
    meta.media["1376223850470843"] = ("application/pdf", b"%PDF-1.7")
    call_us(payload("document"))
    fetched = media.fetch(Media.objects.get().pk)

    assert fetched is not None
    file = Attachment.objects.get()
    assert (file.name, file.content_type, file.size) == ("見積書.pdf", "application/pdf", 8)
    assert fetched.reply_to_id == Message.objects.get(text__contains="File").pk
    assert all(call.header("Authorization") for call in meta.calls)


def test_the_token_is_not_sent_to_another_host(meta: MetaServer) -> None:
    meta.media["1003383421387256"] = PICTURE
    with MetaServer().running() as elsewhere:
        for url in (
            f"{elsewhere.url}/store/1",
            "http://lookaside.fbsbx.com/x",
            "https://graph.facebook.com.attacker.example/",
        ):
            meta.media_url = url
            assert fetch_refused().permanent
        assert not elsewhere.calls


def test_a_redirect_to_another_host_is_not_followed(meta: MetaServer) -> None:
    meta.media["1003383421387256"] = PICTURE
    original = meta.answer
    with MetaServer().running() as elsewhere:

        def answer(call: Any) -> Answer:
            away = {"Location": f"{elsewhere.url}/store/1"}
            return Answer(302, b"", away) if call.path.startswith("/store") else original(call)

        meta.answer = answer  # type: ignore[method-assign]
        assert fetch_refused().permanent
        assert not elsewhere.calls


@pytest.mark.parametrize("ref", ["", "../me", "123?fields=token", f"{NUMBER_ID}/messages", "１２３"])
def test_an_invalid_media_id_is_not_requested(ref: str, meta: MetaServer) -> None:
    assert fetch_refused(ref).permanent
    assert not meta.calls


@pytest.mark.parametrize("declared", [2500, 0])
def test_media_that_is_too_large_is_refused_whatever_its_declared_size(
    declared: int, meta: MetaServer, settings: Any
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 1000}
    meta.media["1003383421387256"] = ("image/jpeg", b"x" * 2500)
    meta.declared_size = declared
    error = fetch_refused()

    assert (error.permanent, error.detail["code"]) == (True, "too-large")
    assert len(meta.calls) == (1 if declared else 2)


def test_missing_media_is_recorded_as_lost(meta: MetaServer) -> None:
    call_us(payload("image"))
    media.fetch(Media.objects.get().pk)

    assert Event.objects.filter(kind="media.lost").count() == 1

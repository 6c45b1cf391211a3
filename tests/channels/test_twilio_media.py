"""Fetching media from Twilio: authenticated, limited in size, and from Twilio's hosts only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import MediaRef
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.record.models import Event, Message
from tests.channels.carrier_server import Answer
from tests.channels.twilio_server import ACCOUNT, TwilioServer, call_us, payload
from tests.channels.twilio_setup import configure, golden

pytestmark = pytest.mark.django_db

MM = "MM0f2e4d6c8ba97531024689acebdf1357"
ONE = "ME11111111111111111111111111111111"
REF = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{MM}/Media/{ONE}"
JPEG = Answer(200, b"\xff\xd8\xff\xe0 a picture", {"Content-Type": "image/jpeg"})


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioServer]:
    with TwilioServer().running() as server:
        configure(settings, server.url)
        server.media[ONE] = JPEG
        yield server


def refused(ref: str = REF) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        registry.channel("sms").fetch(MediaRef(ref=ref))
    return caught.value


def test_media_is_fetched_and_recorded(twilio: TwilioServer) -> None:
    twilio.media["ME22222222222222222222222222222222"] = Answer(200, b"BEGIN:VCARD", {"Content-Type": "text/vcard"})
    call_us(payload(golden("mms")))
    first = Message.objects.get()

    for row in Media.objects.all():
        assert media.fetch(row.pk) is not None

    kept = {file.content_type: file for file in Attachment.objects.all()}
    assert set(kept) == {"image/jpeg", "text/vcard"}
    assert kept["image/jpeg"].size == len(JPEG.body)
    assert {file.message.reply_to_id for file in kept.values()} == {first.pk}
    assert not Media.objects.exists()


def test_credentials_are_sent_to_the_api_only(twilio: TwilioServer) -> None:
    registry.channel("sms").fetch(MediaRef(ref=REF, content_type="image/jpeg"))

    asked = [(call.path.split("/")[1], bool(call.header("Authorization"))) for call in twilio.calls]
    assert asked == [("2010-04-01", True), ("cdn", False)]


@pytest.mark.parametrize(
    "ref",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/../../../x",
        f"/Messages/{MM}/Media/{ONE}/../../Recordings",
        "",
    ],
)
def test_a_url_without_twilio_ids_is_not_requested(ref: str, twilio: TwilioServer) -> None:
    assert refused(ref).permanent
    assert not twilio.calls


def test_only_the_ids_of_a_url_are_used(twilio: TwilioServer) -> None:
    file = registry.channel("sms").fetch(MediaRef(ref=REF.replace("api.twilio.com", "attacker.example")))

    assert file.content == JPEG.body


def test_a_redirect_to_another_host_is_not_followed(twilio: TwilioServer) -> None:
    with TwilioServer().running() as inside:
        for target in (
            f"{inside.url}/admin",
            "http://mms.twiliocdn.com/x",
            "https://mms.twiliocdn.com.attacker.example/",
        ):
            twilio.redirect_to = target
            assert refused().permanent
        assert not inside.calls


def test_a_second_redirect_is_not_followed(twilio: TwilioServer) -> None:
    twilio.media[ONE] = Answer(302, b"", {"Location": "http://169.254.169.254/"})

    assert refused().detail["status"] == "302"


@pytest.mark.parametrize("declared", [True, False])
def test_media_that_is_too_large_is_refused_whatever_its_declared_length(
    declared: bool, twilio: TwilioServer, settings: Any
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 1000}
    chunked = b"".join(b"%x\r\n%s\r\n" % (500, b"x" * 500) for _ in range(5)) + b"0\r\n\r\n"
    twilio.media[ONE] = (
        Answer(200, b"x" * 2500, {"Content-Type": "image/png"})
        if declared
        else Answer(200, chunked, {"Content-Type": "image/png", "Transfer-Encoding": "chunked"})
    )
    error = refused()

    assert (error.permanent, error.detail["code"]) == (True, "too-large")


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (410, True), (503, False), (429, False), (401, False)])
def test_missing_media_is_lost_and_a_failing_server_is_retried(
    status: int, permanent: bool, twilio: TwilioServer
) -> None:
    twilio.media[ONE] = Answer(status)
    assert refused().permanent is permanent

    call_us({**payload(golden("mms")), "NumMedia": "1"})
    media.fetch(Media.objects.get().pk)

    assert Event.objects.filter(kind="media.lost").exists() is permanent
    assert Media.objects.exists() is not permanent


def test_an_unreachable_carrier_is_retried(settings: Any) -> None:
    configure(settings, "http://127.0.0.1:9")

    assert not refused().permanent

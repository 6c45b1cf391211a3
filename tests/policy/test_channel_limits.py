"""What a channel declares about its carrier holds before anything is sent, on every channel that there is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_contact_guard import channels, gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, FileIn, InboundMessage
from crm_contact_guard.delivery import attempts, health
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy.limits import limits
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db

#: What ``Channel`` lets a channel declare about its carrier, and the test below that holds it to this.
LIMITS = {
    "supports_text": "test_a_channel_without_text_sends_nothing",
    "max_length": "test_no_text_is_longer_than_the_carrier_takes",
    "supports_files": "test_a_channel_takes_so_many_files",
    "max_files": "test_a_channel_takes_so_many_files",
    "files_by_link": "test_files_that_the_carrier_fetches_need_an_address",
    "max_file_bytes": "test_a_file_may_be_so_large",
    "file_types": "test_a_file_is_of_a_type_that_the_carrier_takes",
    "session_window": "test_free_text_is_sent_within_the_carriers_window",
    "per_minute": "test_no_more_a_minute_than_the_carrier_takes",
}
#: What it declares besides: who is reached, and what the carrier does beyond sending.
OTHER = {
    "address_kind", "verbose_name", "needs_address", "idempotency_lasts", "supports_idempotency", "supports_subject",
    "supports_templates", "supports_calls", "supports_carried", "supports_status", "supports_webhook", "supports_names",
    "on_our_page", "charges",
}  # fmt: skip


def every_channel() -> list[type[Channel]]:
    """All that the package brings, abstract ones left out."""
    for module in pkgutil.walk_packages(channels.__path__, f"{channels.__name__}."):
        importlib.import_module(module.name)

    def below(kind: type[Channel]) -> Iterator[type[Channel]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    found = {one for one in below(Channel) if one.__module__.startswith(channels.__name__)}
    return sorted((one for one in found if hasattr(one, "address_kind")), key=lambda one: f"{one.__module__}{one}")


def named(kind: type[Channel]) -> str:
    return f"{kind.__module__.removeprefix(channels.__name__ + '.')}.{kind.__name__}"


CHANNELS = every_channel()
SENDING = [one for one in CHANNELS if one.supports_text]


def having(name: str) -> Any:
    """The channels that declare something by this name."""
    return pytest.mark.parametrize("kind", [one for one in SENDING if getattr(one, name)], ids=named)


@pytest.fixture
def talk(kind: type[Channel], settings: Any, clock: Clock, tmp_path: Path) -> Conversation:
    """A conversation over the channel, whose customer has an address there and has just written."""
    given = {"BACKEND": f"{kind.__module__}.{kind.__name__}", "OPTIONS": {"FROM": "hotel@crm.example"}}
    settings.STORAGES = {
        **settings.STORAGES,
        "guard": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD, "CHANNELS": {**settings.CONTACT_GUARD["CHANNELS"], "it": given},
        "PUBLIC_URL": "https://crm.example", "MAX_TEXT_LENGTH": 10**6, "MAX_FILE_BYTES": 10**9, "FILE_TYPES": ["*"],
        "FILE_STORAGE": "guard", "REENCODE_IMAGES": False,
    }  # fmt: skip
    talk = factories.conversation(factories.employee("aoi"), channel="it")
    talk.customer.addresses.create(kind=kind.address_kind, value="hanako", normalised="hanako")
    gateway.receive(
        InboundMessage(
            channel="it", event_id="1", from_address="hanako", text="Hi", occurred_at=clock.now,
            reply_tokens=(talk.reply_token,),
        )
    )  # fmt: skip
    return talk


def send(talk: Conversation, text: str = "Hello", files: list[FileIn] | None = None) -> Message:
    assert talk.employee is not None
    sent = gateway.send(actor=talk.employee, conversation=talk, text=text, attachments=files or [])
    assert sent.message is not None
    return sent.message


def refused(talk: Conversation, words: str, **given: Any) -> None:
    before = Message.objects.count()
    with pytest.raises(InvalidMessage, match=words):
        send(talk, **given)
    assert (Message.objects.count(), Delivery.objects.count()) == (before, before - 1)


def file(kind: type[Channel], size: int = 3, content_type: str = "") -> FileIn:
    taken = kind.file_types[0].replace("*", "png") if kind.file_types else "image/png"
    return FileIn(name="room.png", content_type=content_type or taken, content=b"x" * size)


def test_every_declaration_is_either_held_here_or_no_limit() -> None:
    declared = set(inspect.get_annotations(Channel))

    assert declared == {*LIMITS, *OTHER}
    assert {name for name in globals() if name.startswith("test_")} >= set(LIMITS.values())
    assert len(CHANNELS) >= 10


@pytest.mark.parametrize("kind", [one for one in CHANNELS if not one.supports_text], ids=named)
def test_a_channel_without_text_sends_nothing(talk: Conversation) -> None:
    with pytest.raises(InvalidMessage, match="can't send messages"):
        send(talk)


@having("max_length")
def test_no_text_is_longer_than_the_carrier_takes(talk: Conversation, kind: type[Channel]) -> None:
    carrier = registry.channel("it")
    most = limits(talk, carrier).max_length
    assert most == kind.max_length

    for letter in ("x", "あ", "😀"):
        longest = max(1, most // carrier.length(letter))
        send(talk, letter * longest)
        with pytest.raises(InvalidMessage, match="at most"):
            send(talk, letter * (longest + 1))


@pytest.mark.parametrize("kind", SENDING, ids=named)
def test_a_channel_takes_so_many_files(talk: Conversation, kind: type[Channel]) -> None:
    most = kind.max_files if kind.supports_files else 0
    assert limits(talk, registry.channel("it")).max_files == most

    refused(talk, f"At most {most} files" if most else "can't send files", files=[file(kind)] * (most + 1))
    assert send(talk, files=[file(kind)] * most).attachments.count() == most


@having("files_by_link")
def test_files_that_the_carrier_fetches_need_an_address(talk: Conversation, kind: type[Channel], settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": ""}

    assert limits(talk, registry.channel("it")).max_files == 0
    refused(talk, "can't fetch files from here", files=[file(kind)])


@having("max_file_bytes")
def test_a_file_may_be_so_large(talk: Conversation, kind: type[Channel]) -> None:
    most = limits(talk, registry.channel("it")).max_file_bytes
    assert most == kind.max_file_bytes

    refused(talk, "too large", files=[file(kind), file(kind, most + 1)][-kind.max_files :])
    assert send(talk, files=[file(kind, most)]).attachments.get().size == most


@pytest.mark.parametrize("kind", [one for one in SENDING if one.supports_files], ids=named)
def test_the_companys_own_size_and_types_hold_too(talk: Conversation, kind: type[Channel], settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_FILE_BYTES": 3, "FILE_TYPES": ["application/x-own"]}

    refused(talk, "too large", files=[file(kind, 4)])
    refused(talk, "file type", files=[file(kind)])


@having("file_types")
def test_a_file_is_of_a_type_that_the_carrier_takes(talk: Conversation, kind: type[Channel]) -> None:
    refused(talk, "file type", files=[file(kind, content_type="application/x-other")])
    assert send(talk, files=[file(kind)])


@having("session_window")
def test_free_text_is_sent_within_the_carriers_window(talk: Conversation, kind: type[Channel], clock: Clock) -> None:
    assert kind.session_window is not None
    clock.forward(kind.session_window - timedelta(seconds=1))
    send(talk)
    assert limits(talk, registry.channel("it")).window_open

    clock.forward(1)
    refused_text = f"only for {kind.session_window // timedelta(hours=1)} hours"
    with pytest.raises(InvalidMessage, match=refused_text):
        send(talk)
    assert not limits(talk, registry.channel("it")).window_open


@having("per_minute")
def test_no_more_a_minute_than_the_carrier_takes(talk: Conversation, kind: type[Channel], clock: Clock) -> None:
    message, carrier = send(talk), registry.channel("it")
    assert kind.per_minute is not None
    assert health.wait_until(carrier) is None
    Carrier.objects.update(taken=kind.per_minute - 1)
    assert health.wait_until(carrier) is None

    next_minute = clock.now + timedelta(minutes=1)
    assert attempts.deliver(message.pk) == next_minute
    row = Delivery.objects.get(message=message)
    assert (row.state, row.attempts, row.due_at) == ("queued", 0, next_minute)

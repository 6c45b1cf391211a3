"""One attempt: what the channel is given to send, and what becomes of each answer."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.channels.base import DeliveryStatus, FileIn, OutboundMessage, OutboundTemplate, Receipt
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.policy.templates import Filled
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_message
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db

HERE = "tests.delivery.test_attempts"
HOME = "hanako@home.example"


class Odd(MemoryChannel):
    """Needs an address, and answers with details or fails as no channel should."""

    needs_address = True

    def send(self, message: OutboundMessage) -> Receipt:
        if message.text == "break":
            raise ValueError("bad answer")
        sent = super().send(message)
        return Receipt(status=sent.status, carrier_id=sent.carrier_id, detail={"queue": "q1"})


@pytest.fixture
def talk(settings: Any, clock: Clock, tmp_path: Path) -> Conversation:
    settings.MEDIA_ROOT = tmp_path
    channels = {**settings.CONTACT_GUARD["CHANNELS"], "odd": {"BACKEND": f"{HERE}.Odd"}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels}
    made = factories.conversation(factories.employee("aoi"), channel="odd", email=HOME)
    Conversation.objects.filter(pk=made.pk).update(subject="Your stay")
    made.refresh_from_db()
    return made


def record(talk: Conversation, direction: str = "outbound", channel: str = "odd", **more: Any) -> Message:
    given = {"text": "Hello", "to_address": HOME, "occurred_at": timezone.now(), **more}
    return record_message(conversation=talk, direction=direction, channel=channel, **given)


def queued(talk: Conversation, **more: Any) -> Message:
    message = record(talk, **more)
    outbox.enqueue(message)
    return message


def given(message: Message) -> OutboundMessage:
    """What the channel is given."""
    Delivery.objects.filter(message=message).delete()
    outbox.enqueue(message)
    claim = outbox.claim(message.pk, idempotent=False)
    assert claim is not None
    return attempts.outbound(claim)


def answered(message: Message, carrier_id: str) -> None:
    Delivery.objects.create(message=message, updated_at=timezone.now(), carrier_id=carrier_id, state="sent")


# --- what is sent


def test_a_channel_is_given_the_message_as_recorded(talk: Conversation) -> None:
    message = record(talk, subject="Room 512", from_name="Aoi", to_name="Hanako Sato")

    sent = given(message)

    assert (sent.message_id, sent.to_name, sent.to_address) == (str(message.pk), "Hanako Sato", HOME)
    assert (sent.from_name, sent.text, sent.subject) == ("Aoi", "Hello", "Room 512")
    assert (sent.reply_token, sent.language, sent.occurred_at) == (talk.reply_token, "en", message.occurred_at)
    assert (sent.references, sent.in_reply_to, sent.possible_duplicate, sent.files) == ((), "", False, ())
    assert sent.template is None
    assert sent.notice


def test_what_is_missing_is_empty_and_the_subject_is_the_conversations(talk: Conversation) -> None:
    sent = given(record(talk, text="", to_address=None))

    assert (sent.to_name, sent.to_address, sent.from_name, sent.text) == ("", "", "", "")
    assert sent.subject == "Your stay"


def test_a_masked_address_is_nobodys_name(talk: Conversation) -> None:
    assert given(record(talk, to_name="h•••@home.example")).to_name == ""


def test_a_message_refers_to_the_last_ten_on_its_channel_oldest_first(talk: Conversation, clock: Clock) -> None:
    other = factories.conversation(factories.employee("ken"), name="Robert King", channel="odd")
    for number in range(12):
        clock.forward(60)
        if number % 2:
            record(talk, "inbound", carrier_id=f"in-{number}")
        else:
            answered(record(talk), f"out-{number}")
    clock.forward(60)
    record(talk, "inbound", channel="email", carrier_id="elsewhere")
    record(other, "inbound", carrier_id="somebody else's")
    message = record(talk, carrier_id="its own")
    record(talk, "inbound", carrier_id="later", occurred_at=clock.now + timedelta(seconds=1))

    sent = given(message)

    expected = [f"{'in' if number % 2 else 'out'}-{number}" for number in range(2, 12)]
    assert (list(sent.references), sent.in_reply_to) == (expected, "in-11")


def test_a_message_of_the_same_moment_is_referred_to_and_one_without_an_id_is_not(
    talk: Conversation, clock: Clock
) -> None:
    record(talk, "inbound", carrier_id="first")
    record(talk)
    record(talk, "inbound")

    assert given(record(talk)).references == ("first",)


def test_the_files_that_are_still_there_are_given(talk: Conversation) -> None:
    files = [FileIn(name=f"{name}.txt", content_type="text/plain", content=name.encode()) for name in ("a", "b")]
    stored = storage.store(files)
    message = record(talk, files=storage.listing(stored))
    storage.attach(message, stored)
    Attachment.objects.filter(name="a.txt").update(stored_as="")

    [file] = given(message).files

    assert (file.name, file.read()) == ("b.txt", b"b")


@pytest.mark.parametrize(
    ("templates", "carrier_id"),
    [
        ({"arrival": {"CARRIERS": {"odd": {"en": "arrival_v1", "ja": "arrival_v2"}}}}, "arrival_v1"),
        ({"arrival": {"CARRIERS": {"odd": {"ja": "arrival_v2"}}}}, ""),
        ({"arrival": {"CARRIERS": {"sms": {"en": "arrival_v3"}}}}, ""),
        ({"arrival": {"CARRIERS": None}}, ""),
        ({}, ""),  # removed from the settings since
    ],
)
def test_a_text_block_is_named_as_the_carrier_names_it(
    talk: Conversation, settings: Any, templates: dict[str, Any], carrier_id: str
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": templates}
    filled = Filled(name="arrival", language="en", text="Room 512", variables={"room": "512"})

    sent = given(record(talk, text=filled.text, details=filled.details()))

    assert sent.template == OutboundTemplate(
        name="arrival", language="en", variables={"room": "512"}, carrier_id=carrier_id
    )
    assert given(record(talk, details={"other": 1})).template is None


# --- what becomes of it


def test_an_accepted_message_is_done(talk: Conversation) -> None:
    message = queued(talk)
    Carrier.objects.create(channel="odd", minute=timezone.now(), failures=2, failing_since=timezone.now())

    assert attempts.deliver(message.pk) is None

    row = Delivery.objects.get(message=message)
    assert (row.state, row.carrier_id) == (DeliveryStatus.SENT, f"memory-{message.pk}")
    assert json.loads(Event.objects.get(kind="delivery.sent").details or "") == {"queue": "q1"}
    assert Carrier.objects.get().failures == 0


def test_a_fault_of_the_channels_own_may_have_come_after_the_sending(talk: Conversation, clock: Clock) -> None:
    message = queued(talk, text="break")

    assert attempts.deliver(message.pk) == clock.now + timedelta(seconds=10)

    row = Delivery.objects.get(message=message)
    assert (row.state, row.unfinished, row.last_error) == ("queued", 1, "ValueError: bad answer")
    assert Carrier.objects.get().failures == 1


@pytest.mark.parametrize(("permanent", "failures"), [(True, 0), (False, 3)])
def test_a_refusal_for_good_says_that_the_carrier_is_there(talk: Conversation, permanent: bool, failures: int) -> None:
    message = queued(talk)
    Carrier.objects.create(channel="odd", minute=timezone.now(), failures=2, failing_since=timezone.now())
    MemoryChannel.errors.append(ChannelError("no", permanent=permanent))

    attempts.deliver(message.pk)

    assert Carrier.objects.get().failures == failures
    assert not talk.customer.addresses.exclude(opted_out_at=None).exists()


def test_a_refusal_because_of_the_address_opts_it_out(talk: Conversation) -> None:
    message = queued(talk)
    MemoryChannel.errors.append(ChannelError("gone", permanent=True, contact="bounce"))

    attempts.deliver(message.pk)

    assert talk.customer.addresses.get().opted_out_by == "bounce"


def test_what_was_written_before_an_opt_out_is_not_sent_after_it(talk: Conversation) -> None:
    message = queued(talk)
    talk.customer.addresses.update(opted_out_at=timezone.now(), opted_out_by="stop")

    assert attempts.deliver(message.pk) is None

    row = Delivery.objects.get(message=message)
    assert (row.state, row.last_error) == ("failed", "opted out: stop")
    assert MemoryChannel.sent == []


def test_a_message_that_is_not_due_takes_none_of_the_carriers_minute(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Odd, "per_minute", 5)
    message = queued(talk)
    Delivery.objects.update(due_at=timezone.now() + timedelta(seconds=1))

    assert attempts.deliver(message.pk) is None
    assert not Carrier.objects.filter(taken__gt=0).exists()


@pytest.mark.parametrize("keyed", [True, False])
def test_an_attempt_after_silence_is_marked_where_the_carrier_knows_no_keys(
    talk: Conversation, clock: Clock, monkeypatch: pytest.MonkeyPatch, keyed: bool
) -> None:
    monkeypatch.setattr(Odd, "supports_idempotency", keyed)
    message = queued(talk)
    assert outbox.claim(message.pk, idempotent=True)
    clock.forward(outbox.retry().lease + timedelta(seconds=1))

    attempts.deliver(message.pk)

    [sent] = MemoryChannel.sent
    assert sent.possible_duplicate is not keyed

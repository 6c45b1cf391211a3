"""Rate limits of carriers, pauses that they ask for, and reports on carriers that are down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import ContactEvent, ContactKind
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts, health
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(settings: Any) -> Conversation:
    memory = {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"}
    factories.add_channels(settings, {"memory": memory})
    return factories.conversation(factories.employee("aoi"), channel="memory")


def write(talk: Conversation, text: str = "Hello") -> Message:
    assert talk.employee is not None
    sent = gateway.send(actor=talk.employee, conversation=talk, text=text, occurred_at=factories.office_time())
    assert sent.message is not None
    return sent.message


def test_no_more_messages_a_minute_than_the_carrier_allows(
    talk: Conversation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryChannel, "per_minute", 2)
    messages = [write(talk, f"{number}") for number in range(4)]

    waits = [attempts.deliver(message.pk) for message in messages]

    next_minute = clock.now + timedelta(minutes=1)
    assert waits == [None, None, next_minute, next_minute]
    assert len(MemoryChannel.sent) == 2
    for message, wait in zip(messages, waits, strict=True):
        row = Delivery.objects.get(message=message)
        assert (row.state, row.attempts) == (("sent", 1) if wait is None else ("queued", 0))
    clock.now = next_minute
    for message in messages:
        attempts.deliver(message.pk)
    assert len(MemoryChannel.sent) == 4


def test_a_busy_carrier_is_retried_after_the_time_it_asks_for(talk: Conversation, clock: Clock) -> None:
    first, second = write(talk, "1"), write(talk, "2")
    MemoryChannel.errors.append(ChannelError("busy", permanent=False, retry_after=120))

    again = attempts.deliver(first.pk)
    wait = attempts.deliver(second.pk)

    assert again == wait == clock.now + timedelta(seconds=120)
    assert not MemoryChannel.sent
    assert Delivery.objects.get(message=second).attempts == 0
    assert health.down() == []


def test_people_are_notified_when_a_carrier_is_down_and_when_it_is_back(talk: Conversation) -> None:
    messages = [write(talk, f"{number}") for number in range(health.FAILURES)]
    MemoryChannel.errors.extend(ChannelError("no answer", permanent=False) for _ in messages)
    for message in messages[:-1]:
        attempts.deliver(message.pk)
    assert health.down() == []
    attempts.deliver(messages[-1].pk)

    assert [found.channel.alias for found in health.down()] == ["memory"]

    attempts.deliver(write(talk, "later").pk)
    assert health.down() == []


def test_a_permanent_refusal_shows_that_the_carrier_is_available(talk: Conversation) -> None:
    for _ in range(health.FAILURES):
        MemoryChannel.errors.append(ChannelError("no such reader", permanent=True))
        attempts.deliver(write(talk).pk)

    assert health.down() == []


def test_a_waiting_message_is_not_sent_after_an_opt_out(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryChannel, "needs_address", True)
    talk.customer.addresses.create(kind="email", value="hanako@gmail.com", normalised="hanako@gmail.com")
    message = write(talk)
    at = timezone.now()
    take(
        ContactEvent(channel="memory", event_id="c", address="Hanako@Gmail.com", kind=ContactKind.STOP, occurred_at=at)
    )

    assert attempts.deliver(message.pk) is None
    row = Delivery.objects.get(message=message)
    assert (row.state, row.last_error) == ("failed", "opted out: stop")
    assert not MemoryChannel.sent

"""The outbox: one worker per message, retries, possible duplicates, status events in any order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.channels.base import DeliveryStatus
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.record.models import Event, Message
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("memory_channel"),
]


@pytest.fixture
def memory_channel(settings: object) -> None:
    channels = {"memory": {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels}  # type: ignore[attr-defined]


@pytest.fixture
def message() -> Message:
    conversation = factories.conversation(factories.employee("aoi"), channel="memory")
    recorded = factories.recorded(
        conversation, "Hello", direction="outbound", channel="memory", occurred_at=timezone.now()
    )
    outbox.enqueue(recorded)
    return recorded


def state(message: Message) -> str:
    return Delivery.objects.get(message=message).state


def steps(message: Message) -> list[str]:
    return [event.kind for event in Event.objects.filter(message=message).order_by("recorded_at", "id")]


def die(message: Message) -> None:
    """The state left behind by a worker that dies while it holds the message."""
    Delivery.objects.filter(message=message).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_message_is_sent_once_however_often_the_task_runs(message: Message) -> None:
    for _ in range(3):
        attempts.deliver(message.pk)

    assert [sent.text for sent in MemoryChannel.sent] == ["Hello"]
    assert state(message) == "sent"
    assert steps(message) == ["delivery.queued", "delivery.attempted", "delivery.sent"]


@pytest.mark.parametrize(("lasts", "doubtful"), [(None, False), (timedelta(hours=1), False), (timedelta(0), True)])
def test_a_key_counts_only_as_long_as_the_carrier_keeps_it(
    message: Message, monkeypatch: pytest.MonkeyPatch, lasts: timedelta | None, doubtful: bool
) -> None:
    monkeypatch.setattr(MemoryChannel, "idempotency_lasts", lasts)
    assert outbox.claim(message.pk, idempotent=True)
    die(message)

    attempts.deliver(message.pk)

    [sent] = MemoryChannel.sent
    assert sent.possible_duplicate is doubtful
    assert state(message) == "sent"


def test_two_workers_never_hold_the_same_message(message: Message) -> None:
    first = outbox.claim(message.pk, idempotent=False)

    assert first is not None
    assert outbox.claim(message.pk, idempotent=False) is None


def test_a_transient_refusal_waits_and_a_permanent_one_ends(message: Message) -> None:
    MemoryChannel.errors[:] = [ChannelError("busy", permanent=False), ChannelError("no such user", permanent=True)]

    due = attempts.deliver(message.pk)
    assert due is not None
    assert due > timezone.now()
    assert attempts.deliver(message.pk) is None  # not due yet, so nothing happens
    assert state(message) == "queued"

    Delivery.objects.update(due_at=timezone.now())
    attempts.deliver(message.pk)
    assert state(message) == "failed"
    assert steps(message)[-1] == "delivery.failed"
    assert MemoryChannel.sent == []


def test_a_dead_workers_message_is_retried_once_with_a_mark_and_then_left_to_people(message: Message) -> None:
    assert outbox.claim(message.pk, idempotent=False) is not None
    die(message)

    second = outbox.claim(message.pk, idempotent=False)
    assert second is not None
    assert second.possible_duplicate
    die(message)

    assert outbox.claim(message.pk, idempotent=False) is None
    assert state(message) == "uncertain"
    assert steps(message)[-1] == "delivery.uncertain"


def test_an_idempotent_carrier_is_simply_retried(message: Message) -> None:
    for _ in range(4):
        claim = outbox.claim(message.pk, idempotent=True)
        assert claim is not None
        assert not claim.possible_duplicate
        die(message)


def test_the_sweeper_finds_due_messages_and_those_of_dead_workers(message: Message) -> None:
    assert outbox.due(timezone.now()) == [message.pk]
    outbox.claim(message.pk, idempotent=False)
    assert outbox.due(timezone.now()) == []
    die(message)
    assert outbox.due(timezone.now()) == [message.pk]


def test_late_status_events_never_move_a_message_back(message: Message) -> None:
    attempts.deliver(message.pk)
    for word in (DeliveryStatus.READ, DeliveryStatus.DELIVERED, DeliveryStatus.SENT):
        outbox.carrier_said(message, word, occurred_at=timezone.now())

    assert state(message) == "read"
    assert steps(message)[-3:] == ["delivery.read", "delivery.delivered", "delivery.sent"]


def test_a_bounce_after_sent_is_a_failure(message: Message) -> None:
    attempts.deliver(message.pk)
    outbox.carrier_said(message, DeliveryStatus.FAILED, occurred_at=timezone.now())

    assert state(message) == "failed"


def test_a_channel_removed_from_the_settings_keeps_its_messages(message: Message, settings: object) -> None:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "CHANNELS": {}}):  # type: ignore[attr-defined]
        attempts.deliver(message.pk)

    assert state(message) == "queued"


@pytest.mark.parametrize("last", [{"permanent": True}, {"permanent": False, "uncertain": True}])
def test_a_message_that_may_have_arrived_never_ends_as_failed(message: Message, last: dict[str, bool]) -> None:
    MemoryChannel.errors.append(ChannelError("silence", permanent=False, uncertain=True))
    attempts.deliver(message.pk)
    for _ in outbox.WAITS:
        Delivery.objects.filter(message=message, state="queued").update(due_at=timezone.now())
        MemoryChannel.errors[:] = [ChannelError("no more", **last)]
        attempts.deliver(message.pk)

    assert state(message) == "uncertain"
    assert steps(message)[-2:] == ["delivery.failed", "delivery.uncertain"]


def test_invalid_text_from_a_carrier_is_stored_in_a_form_that_every_database_accepts(message: Message) -> None:
    MemoryChannel.errors.append(ChannelError("bad answer: \0<html>\ud800", permanent=True))

    attempts.deliver(message.pk)

    assert Delivery.objects.get(message=message).last_error == "bad answer: \ufffd<html>\ufffd"
    assert Event.objects.filter(message=message, kind="delivery.failed").exists()

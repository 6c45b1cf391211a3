"""How often and after which waits a message is tried again, and that no carrier can put it off for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import DeliveryStatus
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts, health, outbox
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_message
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db

HOUR = 3600
SECOND = timedelta(seconds=1)
#: Seconds after each of the first six failures; the seventh is the last.
WAITS = (10, 60, 300, HOUR / 2, 2 * HOUR, 6 * HOUR)


@pytest.fixture
def talk(settings: Any, clock: Clock) -> Conversation:
    channels = {"memory": {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels}
    return factories.conversation(factories.employee("aoi"), channel="memory")


@pytest.fixture
def message(talk: Conversation) -> Message:
    return waiting(talk)


def waiting(talk: Conversation) -> Message:
    recorded = factories.recorded(talk, "Hello", direction="outbound", channel="memory", occurred_at=timezone.now())
    outbox.enqueue(recorded)
    return recorded


def row(message: Message) -> Delivery:
    return Delivery.objects.get(message=message)


def told(message: Message, kind: str) -> list[dict[str, Any]]:
    rows = Event.objects.filter(message=message, kind=f"delivery.{kind}").order_by("recorded_at", "pk")
    return [json.loads(event.data) for event in rows]


def fails(message: Message, **error: Any) -> float | None:
    """One attempt now, which the carrier refuses; after how many seconds the next is due, None for never."""
    Carrier.objects.all().delete()
    Delivery.objects.filter(message=message, state="queued").update(due_at=timezone.now())
    MemoryChannel.errors[:] = [ChannelError("busy", **{"permanent": False, **error})]
    due = attempts.deliver(message.pk)
    assert row(message).due_at == due
    return None if due is None else (due - timezone.now()).total_seconds()


def test_a_message_is_tried_seven_times_with_growing_waits(message: Message, clock: Clock) -> None:
    for number, wait in enumerate(WAITS, start=1):
        assert fails(message) == wait, number
        assert (row(message).state, row(message).attempts) == ("queued", number)
        clock.forward(wait)

    assert fails(message) is None
    assert (row(message).state, row(message).attempts, row(message).due_at) == ("failed", 7, None)
    assert [one["attempt"] for one in told(message, "attempted")] == [1, 2, 3, 4, 5, 6, 7]
    assert [one["final"] for one in told(message, "failed")] == [False] * 6 + [True]
    assert {one["permanent"] for one in told(message, "failed")} == {False}


def test_the_last_attempt_may_succeed(message: Message) -> None:
    for _ in WAITS:
        fails(message)
    Carrier.objects.all().delete()
    Delivery.objects.update(due_at=timezone.now())

    assert attempts.deliver(message.pk) is None
    assert (row(message).state, row(message).last_error) == ("sent", "")
    assert [sent.message_id for sent in MemoryChannel.sent] == [str(message.pk)]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(None, 10), (0, 10), (3, 10), (120, 120), (6 * HOUR, 6 * HOUR), (6 * HOUR + 60, 6 * HOUR), (1e9, 6 * HOUR)],
)
def test_a_carrier_may_ask_for_a_longer_wait_of_six_hours_at_most(
    message: Message, asked: float | None, waited: float
) -> None:
    assert fails(message, retry_after=asked) == waited


@pytest.mark.parametrize(("asked", "paused"), [(60, 60), (5 * 60, 5 * 60), (5 * 60 + 30, 5 * 60), (1e9, 5 * 60)])
def test_one_answer_stops_a_whole_channel_for_five_minutes_at_most(
    talk: Conversation, message: Message, clock: Clock, asked: float, paused: float
) -> None:
    other = waiting(talk)
    fails(message, retry_after=asked)

    due = attempts.deliver(other.pk)

    assert due == clock.now + timedelta(seconds=paused)
    assert (row(other).state, row(other).attempts, row(other).due_at) == ("queued", 0, due)
    assert not MemoryChannel.sent


def test_a_pause_ends(talk: Conversation, message: Message, clock: Clock) -> None:
    fails(message, retry_after=60)
    clock.forward(60)
    other = waiting(talk)

    assert attempts.deliver(other.pk) is None
    assert row(other).state == "sent"


def test_a_pause_puts_off_and_never_brings_forward(message: Message) -> None:
    now = timezone.now()
    Delivery.objects.update(due_at=now + timedelta(hours=1))

    outbox.postpone(message.pk, now + timedelta(minutes=1))
    assert row(message).due_at == now + timedelta(hours=1)
    outbox.postpone(message.pk, now + timedelta(hours=2))
    assert row(message).due_at == now + timedelta(hours=2)

    Delivery.objects.update(state="sent", due_at=None)
    outbox.postpone(message.pk, now + timedelta(hours=3))
    assert row(message).due_at is None


def test_a_pause_puts_off_no_message_that_another_worker_holds(message: Message, clock: Clock) -> None:
    assert outbox.claim(message.pk, idempotent=True)

    outbox.postpone(message.pk, clock.now + timedelta(days=1))

    clock.forward(outbox.retry().lease + SECOND)
    assert outbox.claim(message.pk, idempotent=True), "that worker died"


def test_a_refusal_for_good_ends_at_once(message: Message) -> None:
    assert fails(message, permanent=True, retry_after=60) is None
    assert (row(message).state, row(message).attempts, row(message).lease_until) == ("failed", 1, None)
    [end] = told(message, "failed")
    assert end == {"attempt": 1, "permanent": True, "uncertain": False, "final": True}
    assert Event.objects.get(kind="delivery.failed").actor_type == "carrier"
    assert json.loads(Event.objects.get(kind="delivery.failed").details or "")["error"] == "busy"


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_clear_refusal_makes_no_possible_duplicate(message: Message, idempotent: bool) -> None:
    fails(message)
    Delivery.objects.update(due_at=timezone.now())

    again = outbox.claim(message.pk, idempotent=idempotent)

    assert again is not None
    assert (again.attempt, again.possible_duplicate) == (2, False)
    assert told(message, "attempted") == [{"attempt": 1}, {"attempt": 2}]


def test_an_attempt_after_silence_is_marked_unless_the_carrier_tells_doubles_apart(message: Message) -> None:
    fails(message, uncertain=True)
    assert row(message).unfinished == 1
    Delivery.objects.update(due_at=timezone.now())

    again = outbox.claim(message.pk, idempotent=False)

    assert again is not None
    assert again.possible_duplicate
    assert told(message, "attempted")[-1] == {"attempt": 2, "possible_duplicate": True}


def test_two_silences_are_left_to_people(message: Message) -> None:
    for _ in range(2):
        fails(message, uncertain=True)
    Delivery.objects.update(due_at=timezone.now())

    assert outbox.claim(message.pk, idempotent=False) is None
    assert (row(message).state, row(message).due_at, row(message).lease_until) == ("uncertain", None, None)
    assert told(message, "uncertain") == [{"unfinished": 2}]
    assert Event.objects.get(kind="delivery.uncertain").actor_type == "system"
    assert outbox.claim(message.pk, idempotent=True) is None


def test_an_attempt_is_a_workers_for_the_lease_and_counted_when_it_dies(
    message: Message, clock: Clock, settings: Any
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "DELIVERY_LEASE_SECONDS": 90}
    assert outbox.claim(message.pk, idempotent=False)
    lease = clock.now + timedelta(seconds=90)
    assert row(message).lease_until == lease
    assert (row(message).state, row(message).attempts, row(message).unfinished) == ("sending", 1, 0)
    assert not outbox.is_due(message.pk)
    assert outbox.due(lease) == []

    assert outbox.due(lease + timedelta(microseconds=1)) == [message.pk]
    clock.forward(91)
    assert outbox.is_due(message.pk)
    assert outbox.claim(message.pk, idempotent=False)
    assert (row(message).attempts, row(message).unfinished) == (2, 1)


def test_what_waits_longest_is_taken_first_and_only_so_much(talk: Conversation) -> None:
    now = timezone.now()
    messages = [waiting(talk) for _ in range(4)]
    for minutes, message in zip((3, 1, 2, -1), messages, strict=True):
        Delivery.objects.filter(message=message).update(due_at=now - timedelta(minutes=minutes))
    first, third, second, ahead = messages

    assert outbox.due(now) == [first.pk, second.pk, third.pk]
    assert outbox.due(now, limit=2) == [first.pk, second.pk]
    assert outbox.is_due(first.pk)
    assert not outbox.is_due(ahead.pk)
    assert outbox.claim(ahead.pk, idempotent=True) is None


def test_an_attempt_is_old_once_it_began_longer_ago(talk: Conversation, message: Message, clock: Clock) -> None:
    other = waiting(talk)
    clock.forward(HOUR)
    assert not outbox.was_tried_before(message.pk, timedelta(0)), "queued, and never tried"
    assert outbox.claim(message.pk, idempotent=True)

    clock.forward(60)
    assert not outbox.was_tried_before(message.pk, timedelta(seconds=60))
    assert outbox.was_tried_before(message.pk, timedelta(seconds=59))
    assert not outbox.was_tried_before(other.pk, timedelta(0))


def test_a_second_silence_ends_a_message_that_may_have_arrived_twice(message: Message) -> None:
    fails(message, uncertain=True)

    assert fails(message, uncertain=True, permanent=True) is None
    assert (row(message).state, row(message).unfinished) == ("uncertain", 2)
    assert told(message, "uncertain") == [{"unfinished": 2}]


def test_a_dead_workers_message_is_left_to_people_without_its_lease(message: Message, clock: Clock) -> None:
    for _ in range(2):
        assert outbox.claim(message.pk, idempotent=False)
        clock.forward(outbox.retry().lease + SECOND)

    assert outbox.claim(message.pk, idempotent=False) is None
    assert (row(message).state, row(message).due_at, row(message).lease_until) == ("uncertain", None, None)


def test_what_the_carrier_adds_to_a_refusal_is_kept_and_a_long_word_shortened(message: Message) -> None:
    fails(message, detail={"code": "30007"})
    MemoryChannel.errors[:] = [ChannelError("no " * 400, permanent=True)]
    Delivery.objects.update(due_at=timezone.now())
    attempts.deliver(message.pk)

    rows = Event.objects.filter(kind="delivery.failed").values_list("details", flat=True)
    kept = sorted((json.loads(details or "") for details in rows), key=len)
    assert kept == [{"error": "no " * 400}, {"error": "busy", "code": "30007"}]
    assert row(message).last_error == ("no " * 400)[:500], "as long as its column"


def test_one_messages_refusal_leaves_another_in_its_workers_hands(talk: Conversation, message: Message) -> None:
    other = waiting(talk)
    held, failing = (outbox.claim(one.pk, idempotent=True) for one in (other, message))
    assert held
    assert failing

    outbox.failed(failing, permanent=True, error="no such user")
    assert (row(message).state, row(other).state) == ("failed", "sending")

    outbox.carrier_said(message, DeliveryStatus.DELIVERED, occurred_at=timezone.now())
    assert (row(message).state, row(other).state) == ("delivered", "sending")


def test_silence_is_not_believed_over_the_carriers_own_word(message: Message, clock: Clock) -> None:
    claim = outbox.claim(message.pk, idempotent=False)
    assert claim is not None
    outbox.carrier_said(message, DeliveryStatus.DELIVERED, occurred_at=clock.now)
    assert row(message).lease_until is None

    outbox.failed(claim, permanent=False, uncertain=True, error="timed out")

    assert (row(message).state, row(message).due_at) == ("delivered", None)


def test_every_step_shows_on_open_pages(message: Message, clock: Clock) -> None:
    """An open page asks for what changed since (``Delivery.updated_at``)."""

    def moves(step: Callable[[], object]) -> bool:
        clock.forward(outbox.retry().lease + SECOND)
        step()
        return row(message).updated_at == clock.now

    claims = [outbox.claim(message.pk, idempotent=False)]
    assert claims[0]
    assert moves(lambda: claims.append(outbox.claim(message.pk, idempotent=False)))
    assert claims[1]
    assert moves(lambda: outbox.failed(claims[1], permanent=False, error="busy"))  # type: ignore[arg-type]
    Delivery.objects.update(unfinished=2, due_at=clock.now)
    assert moves(lambda: outbox.claim(message.pk, idempotent=False))
    assert row(message).state == "uncertain"
    assert moves(lambda: outbox.carrier_said(message, DeliveryStatus.READ, occurred_at=clock.now))


# --- what the carrier says


def test_the_carriers_id_finds_its_message_on_that_channel_alone(talk: Conversation, message: Message) -> None:
    other = waiting(talk)
    attempts.deliver(message.pk)

    assert row(message).carrier_id == f"memory-{message.pk}"
    assert told(message, "sent") == [{"attempt": 1, "carrier_id": f"memory-{message.pk}"}]
    assert outbox.by_carrier_id("memory", f"memory-{message.pk}") == message
    assert outbox.by_carrier_id("chat", f"memory-{message.pk}") is None
    assert outbox.by_carrier_id("memory", "") is None, "many have none yet"
    assert row(other).carrier_id == ""


def test_our_own_id_finds_a_message_before_the_carrier_has_answered(talk: Conversation, message: Message) -> None:
    other = waiting(talk)
    assert outbox.by_own_id("memory", "no uuid", carrier_id="c") is None
    assert outbox.by_own_id("chat", str(message.pk), carrier_id="c") is None
    assert outbox.by_own_id("memory", str(message.pk), carrier_id="") == message
    assert row(message).carrier_id == ""

    assert outbox.by_own_id("memory", str(message.pk), carrier_id="first") == message
    assert outbox.by_own_id("memory", str(message.pk), carrier_id="second") == message
    assert (row(message).carrier_id, row(other).carrier_id) == ("first", "")
    assert outbox.by_own_id("memory", str(other.pk), carrier_id="third") == other


@pytest.mark.parametrize("length", [255, 256, 400])
def test_an_id_longer_than_its_column_still_finds_its_message(talk: Conversation, length: int) -> None:
    answered, reported = waiting(talk), waiting(talk)
    claim = outbox.claim(answered.pk, idempotent=True)
    assert claim is not None
    outbox.succeeded(claim, DeliveryStatus.SENT, carrier_id="a" * length)
    outbox.by_own_id("memory", str(reported.pk), carrier_id="b" * length)

    assert outbox.by_carrier_id("memory", "a" * length) == answered
    assert outbox.by_carrier_id("memory", "b" * length) == reported
    assert len(row(answered).carrier_id) == len(row(reported).carrier_id) == 255


ORDER = ("sending", "uncertain", "failed", "sent", "delivered", "read")


@pytest.mark.parametrize("state", ORDER)
@pytest.mark.parametrize("word", ["failed", "sent", "delivered", "read"])
def test_a_later_word_leads_on_and_never_back_but_for_a_bounce(message: Message, state: str, word: str) -> None:
    Delivery.objects.update(state=state, last_error="as it was", due_at=None, lease_until=None)
    forward = ORDER.index(word) > ORDER.index(state) or (state, word) == ("sent", "failed")
    at = factories.office_time()

    event = outbox.carrier_said(message, DeliveryStatus(word), occurred_at=at, detail={"code": "250"})

    assert (row(message).state, row(message).last_error) == ((word, "") if forward else (state, "as it was"))
    assert (event.kind, event.occurred_at, event.actor_type) == (f"delivery.{word}", at, "carrier")
    assert json.loads(event.details or "") == {"code": "250"}


def test_a_word_that_comes_while_the_next_attempt_waits_ends_the_waiting(message: Message) -> None:
    fails(message, uncertain=True)

    outbox.carrier_said(message, DeliveryStatus.DELIVERED, occurred_at=timezone.now())

    assert (row(message).state, row(message).due_at, row(message).lease_until) == ("delivered", None, None)
    assert outbox.due(timezone.now() + timedelta(days=1)) == []


# --- how the carrier does


def test_a_carrier_is_away_after_three_failures_in_a_row(talk: Conversation, message: Message) -> None:
    before = timezone.now()
    for number in range(1, 4):
        health.wait_until(registry.channel("memory"))
        health.failed("memory", ChannelError("no answer", permanent=False))
        assert len(health.down()) == (1 if number == 3 else 0)

    [gone] = health.down()
    assert gone.channel.alias == "memory"
    assert before <= gone.since <= timezone.now()
    first = gone.since
    health.failed("memory", ChannelError("no answer", permanent=False))
    assert health.down()[0].since == first, "since the first of them"

    health.answered("memory")
    assert health.down() == []
    assert (Carrier.objects.get().failures, Carrier.objects.get().failing_since) == (0, None)


def test_a_message_that_can_not_be_put_together_ends_as_failed_and_not_in_doubt(message: Message) -> None:
    """Here its text block has another form than this version knows. Nothing left, and a retry would not help."""
    broken = record_message(
        conversation=message.conversation,
        direction="outbound",
        channel="memory",
        occurred_at=timezone.now(),
        text="Hello",
        details={"template": {"name": "welcome", "colour": "red"}},
    )
    outbox.enqueue(broken)

    assert attempts.deliver(broken.pk) is None

    assert (row(broken).state, row(broken).due_at) == ("failed", None)
    assert told(broken, "failed") == [{"attempt": 1, "final": True, "permanent": True, "uncertain": False}]
    assert not MemoryChannel.sent

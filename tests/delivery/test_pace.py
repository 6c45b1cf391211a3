"""The pace a carrier allows, to the second; its pauses; and one channel's troubles, which are no other's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import health
from crm_contact_guard.delivery.models import Carrier
from crm_contact_guard.exceptions import ChannelError
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db

HALF = factories.office_time() + timedelta(seconds=30, microseconds=250)
NEXT = factories.office_time() + timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)
BUSY = ChannelError("busy", permanent=False, retry_after=60)
SILENT = ChannelError("no answer", permanent=False)


class Slow(MemoryChannel):
    """Two a minute."""

    per_minute = 2


@pytest.fixture(autouse=True)
def _half_past(clock: Clock, settings: Any) -> None:
    clock.now = HALF
    slow, quick = f"{__name__}.Slow", "crm_contact_guard.channels.memory.MemoryChannel"
    channels = {"slow": {"BACKEND": slow}, "other": {"BACKEND": slow}, "quick": {"BACKEND": quick}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels}


def asks(alias: str, times: int = 1) -> list[datetime | None]:
    return [health.wait_until(registry.channel(alias)) for _ in range(times)]


def row(alias: str) -> Carrier:
    return Carrier.objects.get(channel=alias)


def test_so_many_a_minute_and_the_next_when_it_begins(clock: Clock) -> None:
    assert asks("slow", 4) == [None, None, NEXT, NEXT]
    clock.now = NEXT - MOMENT
    assert asks("slow") == [NEXT]

    clock.now = NEXT
    assert asks("slow", 3) == [None, None, NEXT + timedelta(minutes=1)]
    assert row("slow").taken == 2


def test_the_same_second_of_a_later_hour_is_a_minute_of_its_own(clock: Clock) -> None:
    asks("slow", 3)

    clock.now += timedelta(hours=1)

    assert asks("slow", 3) == [None, None, NEXT + timedelta(hours=1)]


def test_each_channel_has_a_pace_of_its_own(clock: Clock) -> None:
    asks("slow", 3)
    assert asks("other", 3) == [None, None, NEXT]

    clock.now = NEXT
    asks("slow")
    assert (row("slow").taken, row("other").taken) == (1, 2)
    assert row("other").minute == NEXT - timedelta(minutes=1)


def test_a_carrier_without_a_pace_is_not_counted(clock: Clock) -> None:
    assert asks("quick", 50) == [None] * 50
    assert row("quick").taken == 0


def test_a_busy_carrier_is_left_alone_until_it_wants_to_be_asked(clock: Clock) -> None:
    asks("slow")
    asks("other")
    health.failed("slow", BUSY)
    until = clock.now + timedelta(seconds=60)

    assert asks("slow") == [until]
    assert asks("other") == [None]
    clock.now = until - MOMENT
    assert asks("slow") == [until]
    clock.now = until
    assert asks("slow") == [None]
    assert (row("slow").failures, row("slow").failing_since) == (0, None)


@pytest.mark.parametrize("asked", [301, 1e9, 1e20, float("inf")])
def test_no_answer_however_mad_stops_a_channel_for_longer_than_five_minutes(clock: Clock, asked: float) -> None:
    asks("quick")

    health.failed("quick", ChannelError("busy", permanent=False, retry_after=asked))

    assert asks("quick") == [clock.now + timedelta(minutes=5)]


def test_what_one_message_was_answered_does_not_end_a_pause(clock: Clock) -> None:
    asks("quick")
    health.failed("quick", BUSY)

    health.answered("quick")

    assert asks("quick") == [clock.now + timedelta(seconds=60)]


def test_an_answer_ends_failing_and_with_it_the_pause(clock: Clock) -> None:
    for alias in ("quick", "other"):
        asks(alias)
        health.failed(alias, SILENT)
        health.failed(alias, BUSY)

    health.answered("quick")

    assert asks("quick") == [None]
    assert (row("quick").failures, row("quick").failing_since, row("quick").resume_at) == (0, None, None)
    assert (row("other").failures, row("other").failing_since) == (1, clock.now)
    assert row("other").resume_at is not None


@pytest.mark.parametrize("left", [{"failures": 1}, {"failing_since": HALF}])
def test_an_answer_clears_whatever_is_left_of_failing(clock: Clock, left: dict[str, Any]) -> None:
    asks("quick")
    Carrier.objects.update(**left)

    health.answered("quick")

    assert (row("quick").failures, row("quick").failing_since) == (0, None)


def test_a_library_that_breaks_while_it_asks_for_a_pause_gets_it_and_counts(clock: Clock) -> None:
    class Strange(Exception):
        retry_after = 30

    asks("quick")
    health.failed("quick", Strange())

    assert asks("quick") == [clock.now + timedelta(seconds=30)]
    assert (row("quick").failures, row("quick").failing_since) == (1, clock.now)


def test_failing_began_with_the_first_of_the_failures(clock: Clock) -> None:
    for alias in ("other", "quick"):
        asks(alias)
        for _ in range(3):
            health.failed(alias, SILENT)
            clock.now += timedelta(minutes=1)
    health.failed("slow", SILENT)

    found = [(down.channel.alias, down.since) for down in health.down()]
    assert found == [("other", HALF), ("quick", HALF + timedelta(minutes=3))]
    assert (row("other").failures, row("quick").failures) == (3, 3)


def test_a_channel_that_is_no_longer_configured_is_nobodys_news(clock: Clock, settings: Any) -> None:
    asks("quick")
    for _ in range(3):
        health.failed("quick", SILENT)
    assert health.down()

    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {}}

    assert health.down() == []

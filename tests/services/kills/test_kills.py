"""``kill -9`` of web server, worker and mail receiver at random moments, over every channel: the record equals what the
carriers did.

10 kills in each run; ``make kills`` does 200 others (``CONTACT_GUARD_KILLS`` is the number,
``CONTACT_GUARD_KILLS_SEED`` where the seeds begin). Four fifths on PostgreSQL with Redis, the rest on SQLite.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.kills.carried import was_carried
from tests.services.kills.installation import Installation, installation
from tests.services.kills.world import World

CI = 10
NUMBER = int(os.environ.get("CONTACT_GUARD_KILLS", CI))
FIRST_SEED = int(os.environ.get("CONTACT_GUARD_KILLS_SEED", "1"))
EACH = 5 if NUMBER <= CI else 10
#: Each fifth on SQLite, and one at least.
SEEDS = range(FIRST_SEED, FIRST_SEED + NUMBER // EACH)
CAMPAIGNS = [("sqlite" if (seed - FIRST_SEED) % 5 == 1 else "postgresql", seed) for seed in SEEDS]


@pytest.fixture
def hotel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    with installation(request.param, tmp_path) as made:
        yield made


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("hotel", "seed"), CAMPAIGNS, indirect=["hotel"])
def test_the_record_equals_what_the_carriers_did(hotel: Installation, seed: int) -> None:
    world = hotel.campaign(seed, EACH, World)
    print("\n".join(hotel.struck))

    assert len(hotel.struck) == EACH
    record = hotel.settled()
    _outbound_is_right(hotel, world, record)
    missed = _inbound_is_right(world, record)
    _calls_are_right(hotel, world, record)
    _what_twilio_kept_is_found(hotel, missed)
    for chat in hotel.people["chats"]:
        assert world.open_chat(chat)
    chatted = [row for row in hotel.settled()["outbound"] if row["channel"] == "chat"]
    assert {row["state"] for row in chatted} <= {"read"}
    hotel.manage("-m", "django", "contact_guard_seal")
    assert "All holds." in hotel.manage("-m", "django", "contact_guard_verify", "--files")
    tried_twice = sum(row["attempts"] > 1 for row in record["outbound"])
    print(f"{len(record['inbound'])} messages in, {len(record['outbound'])} out, {tried_twice} tried more than once")


def _outbound_is_right(hotel: Installation, world: World, record: dict[str, Any]) -> None:
    assert record["without_delivery"] == 0
    rows = {(row["channel"], row["text"]): row for row in record["outbound"]}
    assert len(rows) == len(record["outbound"]), "one press of the button made two messages"
    for key, ids in world.book.sent.items():
        assert ids == {rows[key]["id"]}, f"{key}: answered with {ids}, recorded as {rows.get(key)}"
    taken = {alias: carrier.taken() for alias, carrier in hotel.carriers.items()} | {"email": hotel.sink.taken()}
    for (alias, text), row in rows.items():
        if alias != "chat":
            copies = [one for one in taken[alias] if text in one.text]
            was_carried(row, copies, world)


def _inbound_is_right(world: World, record: dict[str, Any]) -> set[str]:
    """Returns the texts that were said to us while nobody listened, and that their carriers do not repeat."""
    recorded = Counter((channel, text.strip()) for channel, text in record["inbound"] if text)
    for one in world.book.said:
        times = recorded[one.channel, one.text]
        if one.channel == "phone":
            continue
        if one in world.book.heard:
            assert times == 1, f"{one} was accepted and is on record {times} times"
        assert times <= 1, one
    ids = Counter((channel, event_id) for channel, event_id in record["events"])
    assert max(ids.values()) == 1
    unknown = Counter(record["unknown"])
    for channel, times in Counter(one.channel for one in world.book.unknown).items():
        assert unknown[channel] >= times
    return {one.text for one in world.book.said if not recorded[one.channel, one.text] and one.channel != "phone"}


def _calls_are_right(hotel: Installation, world: World, record: dict[str, Any]) -> None:
    noted = Counter(carrier_id for carrier_id, _channel in record["calls"])
    assert not noted or max(noted.values()) == 1
    for one in world.book.heard:
        if one.channel == "phone":
            assert noted[one.event_id] == 1, f"{one} was accepted and is not on record"
    placed = Counter(hotel.carriers["phone"].placed())  # type: ignore[attr-defined]
    assert not placed or max(placed.values()) == 1, "somebody was rung twice"
    assert set(placed) <= set(record["asked"]), "somebody was rung, and nothing says so"


def _what_twilio_kept_is_found(hotel: Installation, missed: set[str]) -> None:
    """Twilio does not call again; its log is asked."""
    for alias in ("sms", "twilio_whatsapp"):
        hotel.manage("-m", "django", "contact_guard_reconcile", "--channel", alias, "--day", "2026-11-24", fine=(0, 1))
    recorded = Counter((channel, (text or "").strip()) for channel, text in hotel.settled()["inbound"])
    for alias in ("sms", "twilio_whatsapp"):
        for row in hotel.carriers[alias].server.messages:
            if row.get("direction") == "inbound":
                assert recorded[alias, row["body"]] == 1, f"{alias}: {row['body']}, {missed}"

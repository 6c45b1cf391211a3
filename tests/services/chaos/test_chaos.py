"""Something goes wrong around the processes while people write: the record equals what the carriers did.

``make chaos`` has all faults; ``CONTACT_GUARD_CHAOS`` names some, by commas. docs/operations.md says what is promised.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.services.chaos.faults import FAULTS, Scene
from tests.services.chaos.servers import servers
from tests.services.kills import test_kills as checks
from tests.services.kills.carriers import PATIENCE
from tests.services.kills.installation import Installation
from tests.services.kills.world import World

CHOSEN = os.environ["CONTACT_GUARD_CHAOS"]
NAMES = list(FAULTS) if CHOSEN == "all" else CHOSEN.split(",")
#: How long the fault lasts while people go on: longer than any lease.
SECONDS = 12
ROUNDS = 3
#: Their clocks were wrong, and verification says so.
WRONG_CLOCKS = {"clock_ahead", "clock_behind"}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with servers(tmp_path) as (postgresql, redis):
        hotel = Installation(tmp_path, postgresql.database(), {"broker": redis.url, "broker_options": {}})
        with hotel.running():
            yield Scene(hotel, postgresql, redis)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_or_doubled(scene: Scene, name: str) -> None:
    world = lives_through(scene, name)

    record = scene.hotel.settled()
    checks._outbound_is_right(scene.hotel, world, record)
    missed = checks._inbound_is_right(world, record)
    checks._calls_are_right(scene.hotel, world, record)
    checks._what_twilio_kept_is_found(scene.hotel, missed)
    scene.hotel.manage("-m", "django", "contact_guard_seal")
    verified = scene.hotel.manage("-m", "django", "contact_guard_verify", "--files", fine=(0, 1))
    if name in WRONG_CLOCKS:
        faults = [line for line in verified.splitlines() if "clock was wrong" not in line and "fault" in line.lower()]
        assert not faults, verified
    else:
        assert "All holds." in verified
    assert record["unalerted"] == 0
    print(f"{name}: {len(record['inbound'])} messages in, {len(record['outbound'])} out")


def lives_through(scene: Scene, name: str) -> World:
    """People write before, during and after the fault. Whoever was refused tries again, as in life."""
    hotel = scene.hotel
    hotel.world = world = World(1, hotel.web, hotel.mail_port, hotel.carriers, hotel.people)
    pause = threading.Event()
    _live(world)
    with ThreadPoolExecutor(24) as pool:
        with FAULTS[name](scene):
            running = [pool.submit(each) for _ in range(ROUNDS) for each in world.round()]
            pause.wait(SECONDS)
        hotel.revive()
        running += [pool.submit(each) for _ in range(ROUNDS) for each in world.round()]
        for one in running:
            one.result(PATIENCE * 3)
    return world


def test_a_restored_backup_is_noticed_and_carriers_give_back_what_they_have(scene: Scene, tmp_path: Path) -> None:
    hotel, checkpoint = scene.hotel, tmp_path / "newer.txt"
    hotel.world = world = World(2, hotel.web, hotel.mail_port, hotel.carriers, hotel.people)
    _live(world)
    hotel.settled()
    hotel.manage("-m", "django", "contact_guard_seal")
    backup = scene.postgresql.dump()
    _live(world)
    later = hotel.settled()
    checkpoint.write_text(hotel.manage("-m", "django", "contact_guard_seal", "--checkpoint"))
    for process in hotel.processes.values():
        process.end()

    scene.postgresql.restore(backup)

    hotel.manage("-m", "django", "migrate", "--verbosity", "0")
    hotel.manage("-m", "django", "check", "--database", "default")
    assert "All holds." in hotel.manage("-m", "django", "contact_guard_verify", "--files", fine=(0, 1))
    told = hotel.manage("-m", "django", "contact_guard_verify", "--since", str(checkpoint), fine=(1,))
    assert "All holds." not in told
    for process in hotel.processes.values():
        process.start()
    for alias in ("sms", "twilio_whatsapp"):
        hotel.manage("-m", "django", "contact_guard_reconcile", "--channel", alias, "--day", "2026-11-24", fine=(0, 1))
    texting = {(channel, text) for channel, text in later["inbound"] if channel in ("sms", "twilio_whatsapp")}
    assert texting <= {(channel, text) for channel, text in hotel.settled()["inbound"]}


def _live(world: World) -> None:
    with ThreadPoolExecutor(24) as pool:
        for one in [pool.submit(each) for _ in range(ROUNDS) for each in world.round()]:
            one.result(PATIENCE * 3)

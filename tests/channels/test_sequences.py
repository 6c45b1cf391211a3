"""After any sequence of repeated, reordered and failing requests, the record equals what the carriers did.

Every channel whose tests subclass ``WebhookCases`` or ``SendCases`` is included automatically. A run draws 100
sequences in total; ``make sequences`` draws 10,000 others (``CONTACT_GUARD_SEQUENCES`` sets the number).
"""

from __future__ import annotations

import importlib
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.channels.cases import ChannelCases, SendCases, WebhookCases
from tests.channels.sequences import InboundSequence, OutboundSequence

CI = 100
NUMBER = int(os.environ.get("CONTACT_GUARD_SEQUENCES", CI))


def _final(base: type[ChannelCases]) -> list[type[ChannelCases]]:
    """The test classes of all other modules in this folder."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.stem != "test_sequences":
            importlib.import_module(f"tests.channels.{path.stem}")
    found = [base]
    for one in found:
        found.extend(one.__subclasses__())
    return [one for one in found if one.__name__.startswith("Test")]


RECEIVING = _final(WebhookCases)
SENDING = _final(SendCases)


def _drawn(machine: type[InboundSequence] | type[OutboundSequence]) -> None:
    """Run one channel's share. The default sequences are always the same, so that CI does not fail randomly."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=math.ceil(NUMBER / (len(RECEIVING) + len(SENDING))),
            stateful_step_count=15,
            derandomize=NUMBER <= CI,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _receives(self: Any) -> None:
    _drawn(type("Sequence", (InboundSequence,), {"cases": self}))


def _sends(self: Any, carrier: Any) -> None:
    _drawn(type("Sequence", (OutboundSequence,), {"cases": self, "server": carrier}))


def _only(speaker: type[ChannelCases], name: str, test: Any) -> None:
    """A subclass of ``speaker`` with only this test."""
    others = {one: None for one in dir(speaker) if one.startswith("test_")}
    made = f"{speaker.__module__.rpartition('.')[2].title().replace('_', '')}{speaker.__name__.removeprefix('Test')}"
    globals()[made] = type(made, (speaker,), {**others, name: pytest.mark.timeout(3600)(test)})


for _speaker in RECEIVING:
    _only(_speaker, "test_whatever_comes_is_recorded_once_and_ends_right", _receives)
for _speaker in SENDING:
    _only(_speaker, "test_whatever_fails_the_record_says_what_arrived", _sends)


def test_every_channel_is_included() -> None:
    assert len(RECEIVING) >= 5
    assert len(SENDING) >= 5

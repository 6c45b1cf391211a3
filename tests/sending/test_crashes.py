"""Random days with recalls, decisions and lost tasks: nothing goes twice, early or after a recall; nothing is lost."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import TestCase

from crm_contact_guard import tasks
from crm_contact_guard.exceptions import NotPossible
from crm_contact_guard.sending.holds import hold_approve, hold_reject, hold_return
from crm_contact_guard.sending.recalling import recall
from tests.sending.conftest import Desk, faults

#: How many random days are played. ``CONTACT_GUARD_DAYS=200`` plays more.
DAYS = int(os.environ.get("CONTACT_GUARD_DAYS", "3"))
HELD = "個人のLINEは aoi_private です。こちらにどうぞ"


@dataclass
class Expected:
    """What the test knows about a message, apart from the product."""

    text: str
    #: Not to be sent before this time; None while nobody has approved it.
    earliest: datetime | None
    stopped: bool = False


class Day:
    """Draws what happens. A task that is lost stands for a worker or a broker that died at that moment."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.draw, self.known = desk, random.Random(seed), dict[Any, Expected]()

    def do(self, act: Callable[[], Any]) -> Any:
        """Run an act and its tasks, or lose the tasks."""
        with TestCase.captureOnCommitCallbacks(execute=self.draw.random() < 0.6):
            return act()

    def writes(self) -> None:
        text, now = f"Number {len(self.known)}", self.desk.clock.now
        message = self.do(lambda: self.desk.send(text)).message
        self.known[message.pk] = Expected(text, now + timedelta(seconds=5))

    def schedules(self) -> None:
        text = f"Number {len(self.known)}"
        at = self.desk.clock.now + timedelta(minutes=self.draw.randrange(1, 60))
        message = self.do(lambda: self.desk.send(text, send_at=at)).message
        self.known[message.pk] = Expected(text, at)

    def needs_approval(self) -> None:
        text = f"{HELD} {len(self.known)}"
        message = self.do(lambda: self.desk.send(text)).message
        self.known[message.pk] = Expected(text, None)

    def takes_back(self) -> None:
        key = self.draw.choice(list(self.known))
        with suppress(NotPossible):
            self.do(lambda: recall(actor=self.desk.people["aoi"], message_id=key))
            assert self.known[key].text not in self.desk.handed_over
            self.known[key].stopped = True

    def decides(self) -> None:
        key = self.draw.choice(list(self.known))
        person = self.desk.people[self.draw.choice(["chief", "vice"])]
        with suppress(NotPossible):
            if self.draw.random() < 0.5:
                self.do(lambda: hold_approve(actor=person, message_id=key))
                self.known[key].earliest = self.desk.clock.now
            else:
                self.do(lambda: self.draw.choice([_reject, _return])(person, key))
                self.known[key].stopped = True

    def time_passes(self) -> None:
        self.desk.clock.forward(self.draw.choice([1, 4, 60, 900]))
        self.do(self.draw.choice([tasks.sweep, lambda: None]))

    def check(self) -> None:
        for one in self.known.values():
            times = self.desk.handed_over.count(one.text)
            assert times <= 1, one
            assert not (times and one.stopped), one
            assert not times or (one.earliest is not None and one.earliest <= self.desk.clock.now), one


def _reject(person: Any, key: Any) -> None:
    hold_reject(actor=person, message_id=key, reason="Private")


def _return(person: Any, key: Any) -> None:
    hold_return(actor=person, message_id=key, remark="Please")


@pytest.mark.parametrize("seed", range(DAYS))
def test_random_days_with_lost_tasks(desk: Desk, configure: Callable[..., None], seed: int) -> None:
    configure(RULES={"attempt": "hold"})
    day = Day(desk, seed)
    day.writes()
    acts = [day.writes, day.schedules, day.needs_approval, day.takes_back, day.decides, day.time_passes]
    for _step in range(60):
        day.draw.choice([*acts, day.time_passes])()
        day.check()

    # At last, everything that may go has gone, although tasks were lost.
    for _round in range(4):
        with TestCase.captureOnCommitCallbacks(execute=True):
            desk.later(3600)
    day.check()
    for one in day.known.values():
        assert desk.handed_over.count(one.text) == int(not one.stopped and one.earliest is not None), one
    assert faults() == []

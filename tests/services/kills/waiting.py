"""Messages that wait: undo, schedules and holds; and customers who write while nobody works."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

from tests.services.kills.carriers import Phone
from tests.services.kills.supervising import Supervised
from tests.services.kills.world import ATTEMPT, World, Written

#: Seconds for which every message can be taken back, and that a supervisor has for a decision.
UNDO = 2
HOLD = 20
#: Further keys of ``CONTACT_GUARD``.
GUARD: dict[str, Any] = {
    "UNDO_SECONDS": UNDO,
    "RULES": {"attempt": "hold"},
    "HOLD_HOURS": HOLD / 3600,
    "AUTO_ANSWER": True,
}
#: The states that each act leads to.
ENDS = {"recall": "recalled", "return": "returned", "reject": "rejected"}
_numbers = count(1)


@dataclass(eq=False)
class Waiting:
    """An employee's message that waits, and what people tried with it."""

    alias: str
    text: str
    kind: str
    #: When its writer began to ask for it, in seconds since 1970.
    began: float
    #: Not to be sent before, in seconds since 1970. A held message must be approved as well.
    earliest: float
    id: str = ""
    #: When an approval was asked for first; None if never.
    approving: float | None = None
    #: Acts that were tried, and those that were answered well.
    tried: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)


class DeskWorld(Supervised, World):
    """The round of a desk whose messages wait. ``people`` contains what ``rows.desk`` made."""

    POINTS: ClassVar[tuple[tuple[str, str, float], ...]] = (
        ("called", "worker", 0.0),
        *[("accepted", "worker", 0.0)] * 2,
        # At any moment: the worker is in the middle of a release, an inspection or an answer.
        *[("sent", "worker", 4.0)] * 3,
        ("sent", "beat", 4.0),
        ("telling", "worker", 0.0),
        ("told", "worker", 0.0),
        ("sent", "web", 0.1),
        ("sent", "any", 1.0),
    )
    DEATHS = 5
    WHOLE = 0.1

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.waiting: list[Waiting] = []
        #: What customers wrote while nobody works: conversation → texts.
        self.night: dict[str, list[Written]] = {}

    def round(self) -> list[Callable[[], object]]:
        dice = self.dice
        texting = [alias for alias, carrier in self.carriers.items() if not isinstance(carrier, Phone)]
        over = dice.choices([*texting, "email"], k=dice.randint(2, 3))
        self.handed_over = len(over)
        # Before this round's: whose id is known.
        known = self.waiting[-12:]
        todo: list[Callable[[], object]] = [self._writing(alias) for alias in over]
        todo += [
            *(self._writing(alias, recalled_in=dice.uniform(0, UNDO * 1.5)) for alias in _some(dice, texting, 0, 2)),
            *(self._writing(alias, send_in=dice.uniform(2, 15)) for alias in _some(dice, texting, 1, 2)),
            *(self._writing(alias, asks_approval=True) for alias in _some(dice, texting, 1, 2)),
            *(
                self._writing(alias, send_in=dice.uniform(2, 15), asks_approval=True)
                for alias in _some(dice, texting, 0, 1)
            ),
            *(self._deciding(one) for one in dice.sample(known, k=min(4, len(known)))),
        ]
        todo += self._at_night()
        todo += self.supervision()
        dice.shuffle(todo)
        return todo

    # --- employees and their supervisor
    def _writing(
        self, alias: str, *, send_in: float = 0, asks_approval: bool = False, recalled_in: float | None = None
    ) -> Callable[[], object]:
        number = next(_numbers)
        text = f"Your table {number} is ready."
        if asks_approval:
            text = f"Add me on LINE, my ID is clerk_{number}."
        kind = "hold" if asks_approval else "schedule" if send_in else "undo"
        ids = self.book.sent.setdefault((alias, text), set())

        def write() -> None:
            now = time.time()
            one = Waiting(alias, text, kind, now, now + (send_in or (0 if asks_approval else UNDO)))
            order = {"text": text, "channel": alias}
            if send_in:
                order["send_at"] = datetime.fromtimestamp(one.earliest, UTC).isoformat()
            self.insist(lambda: self._written(one, order, f"table-{number}", ids))
            self.waiting.append(one)
            if recalled_in is not None:
                self._pause.wait(recalled_in)
                self._act(one, "recall")

        return write

    def _written(self, one: Waiting, order: dict[str, Any], key: str, ids: set[str]) -> bool:
        answer = self._api(f"conversations/{self.people['talk']}/messages/", order, key)
        if answer.status_code == 400 and "send_at" in order and one.earliest < time.time():
            # All tries before this one were lost: its time has passed, and the writer chooses a new one.
            one.earliest = time.time() + 5
            order["send_at"] = datetime.fromtimestamp(one.earliest, UTC).isoformat()
            return False
        assert answer.status_code not in (400, 403, 404, 409, 422), answer.body
        if answer.status_code not in (200, 201):
            return False
        one.id = json.loads(answer.body)["message"]["id"]
        ids.add(one.id)
        return True

    def _deciding(self, one: Waiting) -> Callable[[], object]:
        acts = ["recall"] if one.kind != "hold" else ["recall", "approve", "approve", "return", "reject"]
        act, pause = self.dice.choice(acts), self.dice.uniform(0, 3)

        def decide() -> None:
            self._pause.wait(pause)
            self._act(one, act)

        return decide

    def _act(self, one: Waiting, act: str) -> None:
        path = f"messages/{one.id}/recall/" if act == "recall" else f"holds/{one.id}/{act}/"
        order = {"reason": "Not like this."} if act in ("return", "reject") else {}
        by = "" if act == "recall" else self.people["chief_token"]
        one.tried.add(act)
        if act == "approve" and one.approving is None:
            one.approving = time.time()

        def once() -> bool:
            answer = self._api(path, order, by=by)
            assert answer.status_code not in (400, 403, 404), answer.body
            if answer.status_code == 200:
                one.done.add(act)
            # 409: somebody was first, or our own try before, whose answer was lost.
            return answer.status_code in (200, 409)

        self.insist(once)

    # --- customers who write while nobody works
    def _at_night(self) -> list[Callable[[], object]]:
        """The same customers again and again, and more than once at the same time."""
        todo: list[Callable[[], object]] = []
        for guest in self.dice.sample(self.people["night"], k=2):
            for _message in range(self.dice.randint(1, 2)):
                number = next(_numbers)
                one = Written("email" if "address" in guest else "chat", f"Are you there? {number}.", f"n{number}")
                if one.channel == "chat" and self.dice.random() < 0.3:
                    # The supervisor who is told of it has no email address.
                    one = Written("chat", f"Add me on LINE, {ATTEMPT}owl_{number}.", f"n{number}")
                    self.attempts.setdefault(guest["id"], []).append(one)
                self.night.setdefault(guest["id"], []).append(one)
                todo += [self._guest_writes(guest, one)] * self.dice.randint(1, 2)
        return todo

    def _guest_writes(self, guest: dict[str, str], one: Written) -> Callable[[], object]:
        if "address" in guest:
            return lambda: self.insist(lambda: self._mail(one, guest["address"], guest["reply_token"]))
        return lambda: self.insist(lambda: self._chatted(guest, one))


def _some(dice: random.Random, names: Sequence[str], least: int, most: int) -> list[str]:
    return dice.choices(names, k=dice.randint(least, most))

"""Attempts to leave the company's channels, and a supervisor who works on the alerts and cases that follow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.services.kills.world import ATTEMPT, World, Written

_numbers = count(1)


@dataclass
class Notebook:
    """What the supervisor was told to be done. ``tried`` may have been done before its answer was lost."""

    done: set[tuple[str, str]] = field(default_factory=set)
    tried: set[tuple[str, str]] = field(default_factory=set)


class Supervised(World):
    """Adds attempts and supervision to a round."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.notebook = Notebook()
        #: Conversation → attempts in it.
        self.attempts: dict[str, list[Written]] = {}
        self._guests = list(self.people["guests"])

    def supervision(self) -> list[Callable[[], object]]:
        dice = self.dice
        todo: list[Callable[[], object]] = []
        # Mostly of a guest who has made none, so that it is an alert of its own.
        for _guest in range(dice.randint(1, 3)):
            fresh = self._guests and (not self.attempts or dice.random() < 0.7)
            guest = self._guests.pop() if fresh else dice.choice(self.people["guests"])
            todo += self._attempts(guest)
        if dice.random() < 0.5:
            todo.append(self._closes_an_alert(dice.choice(["case_opened", "case_opened", "no_action"]), dice.random()))
        for _step in range(dice.randint(0, 2)):
            todo.append(self._works_on_a_case(dice.choice(["note", "task_add", "task_done"]), dice.random()))
        return todo

    def _attempts(self, guest: dict[str, str]) -> list[Callable[[], object]]:
        number = next(_numbers)
        one = Written("chat", f"Add me on LINE, {ATTEMPT}{number}.", f"a{number}")
        self.attempts.setdefault(guest["id"], []).append(one)
        return [lambda: self.insist(lambda: self._chatted(guest, one))] * self.dice.randint(1, 2)

    # --- the supervisor
    def _closes_an_alert(self, resolution: str, which: float) -> Callable[[], object]:
        def close() -> None:
            listed = self._listed("alerts/?status=open")
            if listed:
                key = listed[int(which * len(listed))]["id"]
                self._step(("close", key), f"alerts/{key}/close/", {"resolution": resolution})

        return close

    def _works_on_a_case(self, action: str, which: float) -> Callable[[], object]:
        number = next(_numbers)

        def work() -> None:
            listed = self._listed("cases/")
            if not listed:
                return
            case = listed[int(which * len(listed))]["id"]
            order: dict[str, Any] = {"action": action}
            name = f"{action} {number}."
            if action == "note":
                order["text"] = name
            elif action == "task_add":
                due_at = datetime.fromtimestamp(time.time() + 3, UTC).isoformat()
                order |= {"title": name, "person": self.people["chief"], "due_at": due_at}
            else:
                tasks = [task for task in self._read(f"cases/{case}/")["tasks"] if task["done_at"] is None]
                if not tasks:
                    return
                order["task"] = name = tasks[0]["id"]
            self._step((action, name), f"cases/{case}/steps/", order)

        return work

    def _step(self, step: tuple[str, str], path: str, order: dict[str, Any]) -> None:
        self.notebook.tried.add(step)

        def once() -> bool:
            answer = self._api(path, order, by=self.people["chief_token"])
            assert answer.status_code not in (400, 403, 404), answer.body
            if answer.status_code == 200:
                self.notebook.done.add(step)
            return answer.status_code in (200, 409)

        self.insist(once)

    def _listed(self, path: str) -> list[dict[str, Any]]:
        return list(self._read(path)["results"])

    def _read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def once() -> bool:
            answer = self._api(path, None, by=self.people["chief_token"])
            assert answer.status_code < 400 or answer.status_code >= 500, answer.body
            if answer.status_code != 200:
                return False
            found.update(json.loads(answer.body))
            return True

        self.insist(once)
        return found

"""The results of trying rules on past messages, and their form as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from crm_contact_guard.policy.actions import Action

#: Number of sample messages kept of each group.
SAMPLES: Final = 20


@dataclass
class Group:
    """How often something would have happened, and the first messages with which."""

    times: int = 0
    samples: list[UUID] = field(default_factory=list)

    def add(self, message: UUID) -> None:
        self.times += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(message)


@dataclass
class Rehearsal:
    """What the rules would have done.

    ``before`` and ``after`` count the employees' messages by the recorded action and by the new one. ``decisions`` has
    those where the two differ; ``rules`` those to which a rule would have applied, by its name; ``appearing`` and
    ``vanishing`` the alerts about leaving the channels, by the side they are about.
    """

    messages: int = 0
    outbound: int = 0
    before: Counter[Action] = field(default_factory=Counter)
    after: Counter[Action] = field(default_factory=Counter)
    decisions: dict[tuple[Action, Action], Group] = field(default_factory=lambda: defaultdict(Group))
    rules: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    appearing: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    vanishing: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    #: Until when each alert that would have appeared takes in further messages, by conversation and side.
    open_until: dict[tuple[UUID, str], datetime] = field(default_factory=dict, repr=False)
    #: When the last message was recorded that has been tried, and its ID.
    last: tuple[datetime, UUID] | None = field(default=None, repr=False)

    def as_data(self) -> dict[str, Any]:
        """Return the results for JSON, without what is only needed to go on."""
        return {
            "messages": self.messages,
            "outbound": self.outbound,
            "before": {action.value: times for action, times in self.before.items()},
            "after": {action.value: times for action, times in self.after.items()},
            "decisions": {f"{did} -> {would}": _data(group) for (did, would), group in self.decisions.items()},
            "rules": {name: _data(group) for name, group in self.rules.items()},
            "alerts appearing": {side: _data(group) for side, group in self.appearing.items()},
            "alerts vanishing": {side: _data(group) for side, group in self.vanishing.items()},
        }

    def place(self) -> dict[str, Any]:
        """Return for JSON what is needed to go on besides the results."""
        return {
            "last": [self.last[0].isoformat(), str(self.last[1])] if self.last is not None else None,
            "open": [[str(talk), side, at.isoformat()] for (talk, side), at in self.open_until.items()],
        }


def rehearsal_of(data: Mapping[str, Any], place: Mapping[str, Any] | None = None) -> Rehearsal:
    """Restore the results of a trial from the output of ``as_data`` and, while it runs, of ``place``."""
    found = Rehearsal(messages=data["messages"], outbound=data["outbound"])
    for name, counts in (("before", found.before), ("after", found.after)):
        counts.update({Action(word): times for word, times in data[name].items()})
    for pair, group in data["decisions"].items():
        did, _, would = pair.partition(" -> ")
        found.decisions[Action(did), Action(would)] = _group(group)
    for name, groups in (
        ("rules", found.rules),
        ("alerts appearing", found.appearing),
        ("alerts vanishing", found.vanishing),
    ):
        groups.update({key: _group(group) for key, group in data[name].items()})
    if place is not None:
        found.open_until = {(UUID(talk), side): datetime.fromisoformat(at) for talk, side, at in place["open"]}
        found.last = (datetime.fromisoformat(place["last"][0]), UUID(place["last"][1])) if place["last"] else None
    return found


def _data(group: Group) -> dict[str, Any]:
    return {"times": group.times, "samples": [str(key) for key in group.samples]}


def _group(data: Mapping[str, Any]) -> Group:
    return Group(data["times"], [UUID(key) for key in data["samples"]])

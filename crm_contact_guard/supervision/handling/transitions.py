"""What may be done with an alert: by state, action and the actor's relation to the alert. Pure data.

Services apply this table, pages offer what it allows, and a test tries every combination.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crm_contact_guard.supervision.models import Alert

Status = Alert.Status


class Action(StrEnum):
    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    ESCALATE = "escalate"
    SNOOZE = "snooze"
    #: Move to the pool "for review", which isn't part of the day's work.
    DEFER = "defer"
    #: Take back from the pool, or before a snooze ends.
    WAKE = "wake"
    CLOSE = "close"
    REOPEN = "reopen"
    #: Take back one's own close within ``review.UNDO``.
    UNDO = "undo"


class Actor(StrEnum):
    """How somebody who may review an alert is related to it."""

    REVIEWER = "reviewer"
    #: The person who claimed it.
    HOLDER = "holder"
    #: A compliance officer who didn't claim it.
    OFFICER = "officer"


_ALL: Final = frozenset(Actor)
_HOLDER: Final = frozenset({Actor.HOLDER})
_HOLDER_OR_OFFICER: Final = frozenset({Actor.HOLDER, Actor.OFFICER})
_WAITING: Final = (Status.OPEN, Status.REVIEW, Status.SNOOZED)


@dataclass(frozen=True)
class Transition:
    """``to``: the state afterwards. None if it depends on the alert's past."""

    to: Alert.Status | None
    actors: frozenset[Actor]


TRANSITIONS: Final[dict[tuple[Action, Alert.Status], Transition]] = {
    **{(Action.CLAIM, status): Transition(Status.CLAIMED, _ALL) for status in _WAITING},
    **{(Action.ASSIGN, status): Transition(Status.OPEN, _ALL) for status in _WAITING},
    **{(Action.ESCALATE, status): Transition(Status.OPEN, _ALL) for status in _WAITING},
    **{(Action.SNOOZE, status): Transition(Status.SNOOZED, _ALL) for status in _WAITING},
    **{(Action.CLOSE, status): Transition(Status.CLOSED, _ALL) for status in _WAITING},
    (Action.DEFER, Status.OPEN): Transition(Status.REVIEW, _ALL),
    (Action.DEFER, Status.SNOOZED): Transition(Status.REVIEW, _ALL),
    (Action.WAKE, Status.REVIEW): Transition(Status.OPEN, _ALL),
    (Action.WAKE, Status.SNOOZED): Transition(Status.OPEN, _ALL),
    # Nobody takes a claimed alert away from a colleague. If one doesn't come back, compliance frees it.
    (Action.RELEASE, Status.CLAIMED): Transition(Status.OPEN, _HOLDER_OR_OFFICER),
    (Action.ASSIGN, Status.CLAIMED): Transition(Status.OPEN, _HOLDER_OR_OFFICER),
    (Action.ESCALATE, Status.CLAIMED): Transition(Status.OPEN, _HOLDER_OR_OFFICER),
    (Action.SNOOZE, Status.CLAIMED): Transition(Status.SNOOZED, _HOLDER),
    (Action.DEFER, Status.CLAIMED): Transition(Status.REVIEW, _HOLDER),
    (Action.CLOSE, Status.CLAIMED): Transition(Status.CLOSED, _HOLDER),
    (Action.REOPEN, Status.CLOSED): Transition(Status.OPEN, _ALL),
    (Action.UNDO, Status.CLOSED): Transition(None, _ALL),
}

#: Repeating these has no effect, so that a double click isn't an error.
REPEATED: Final[dict[tuple[Action, Alert.Status], frozenset[Actor]]] = {
    (Action.CLAIM, Status.CLAIMED): _HOLDER,
    (Action.RELEASE, Status.OPEN): _ALL,
    (Action.DEFER, Status.REVIEW): _ALL,
    (Action.WAKE, Status.OPEN): _ALL,
    (Action.REOPEN, Status.OPEN): _ALL,
    (Action.UNDO, Status.OPEN): _ALL,
}


def allowed(status: str, actor: Actor) -> list[Action]:
    """Return the actions that this actor may take on an alert in this state."""
    return [
        action
        for (action, before), transition in TRANSITIONS.items()
        if before == status and actor in transition.actors
    ]

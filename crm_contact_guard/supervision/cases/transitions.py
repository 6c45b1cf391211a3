"""Which part may take which action in which state of a case, as data. Services and tests iterate over the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crm_contact_guard.supervision.cases.models import Part, Sort, State

_BOTH: Final = frozenset(Sort)
_CONDUCT: Final = frozenset({Sort.CONDUCT})
_WORKING: Final = frozenset({Part.LEAD, Part.MEMBER})
_LEAD: Final = frozenset({Part.LEAD})
_TEAM: Final = frozenset({Part.LEAD, Part.MEMBER, Part.APPROVER})
_CONCERNED: Final = frozenset({Part.CONCERNED})
_BEFORE: Final = frozenset({State.OPEN, State.INVESTIGATING, State.HEARING})
_RUNNING: Final = frozenset(State) - {State.CLOSED}


@dataclass(frozen=True, kw_only=True)
class Transition:
    """``to``: the state afterwards; None if it stays the same."""

    action: str
    sorts: frozenset[Sort] = _BOTH
    states: frozenset[State]
    parts: frozenset[Part]
    to: State | None = None


#: An action has several rows if what follows depends on the state or the sort.
TABLE: Final = (
    Transition(action="join", states=_RUNNING, parts=frozenset({Part.OFFICER})),
    Transition(action="participant_add", states=_RUNNING, parts=_LEAD),
    Transition(action="participant_remove", states=_RUNNING, parts=_LEAD),
    Transition(action="evidence_add", states=_BEFORE, parts=_WORKING),
    Transition(action="note", states=_RUNNING, parts=_TEAM),
    Transition(action="interview", states=_BEFORE, parts=_WORKING),
    Transition(action="task_add", states=_RUNNING, parts=_WORKING),
    Transition(action="task_done", states=_RUNNING, parts=_TEAM),
    Transition(action="investigate", states=frozenset({State.OPEN}), parts=_WORKING, to=State.INVESTIGATING),
    Transition(
        action="tell",
        sorts=_CONDUCT,
        states=_BEFORE,
        parts=_LEAD,
        to=State.HEARING,
    ),
    Transition(action="hear", sorts=_CONDUCT, states=frozenset({State.HEARING}), parts=_WORKING),
    Transition(action="state", sorts=_CONDUCT, states=_RUNNING - {State.OPEN, State.INVESTIGATING}, parts=_CONCERNED),
    Transition(action="state", sorts=frozenset({Sort.PROTECTION}), states=_RUNNING, parts=_CONCERNED),
    Transition(action="propose", states=_BEFORE, parts=_WORKING, to=State.PROPOSED),
    Transition(
        action="approve",
        states=frozenset({State.PROPOSED}),
        parts=frozenset({Part.LEAD, Part.APPROVER}),
        to=State.APPROVED,
    ),
    Transition(
        action="send_back",
        sorts=_CONDUCT,
        states=frozenset({State.PROPOSED, State.APPROVED}),
        parts=frozenset({Part.LEAD, Part.APPROVER}),
        to=State.HEARING,
    ),
    Transition(
        action="send_back",
        sorts=frozenset({Sort.PROTECTION}),
        states=frozenset({State.PROPOSED, State.APPROVED}),
        parts=frozenset({Part.LEAD, Part.APPROVER}),
        to=State.INVESTIGATING,
    ),
    Transition(action="decide", states=frozenset({State.PROPOSED, State.APPROVED}), parts=_LEAD, to=State.DECIDED),
    Transition(action="appeal", sorts=_CONDUCT, states=frozenset({State.DECIDED}), parts=_CONCERNED, to=State.APPEALED),
    Transition(
        action="uphold",
        sorts=_CONDUCT,
        states=frozenset({State.APPEALED}),
        parts=frozenset({Part.LEAD, Part.APPROVER}),
        to=State.DECIDED,
    ),
    Transition(
        action="revise",
        sorts=_CONDUCT,
        states=frozenset({State.APPEALED}),
        parts=frozenset({Part.LEAD, Part.APPROVER}),
        to=State.DECIDED,
    ),
    Transition(action="close", states=frozenset({State.DECIDED}), parts=_LEAD, to=State.CLOSED),
    Transition(action="drop", states=_BEFORE, parts=_LEAD, to=State.CLOSED),
)
ACTIONS: Final = tuple(dict.fromkeys(row.action for row in TABLE))


def rows(action: str, part: str) -> Iterator[Transition]:
    """Yield the rows for an action and a part."""
    yield from (row for row in TABLE if row.action == action and part in row.parts)


def find(action: str, part: str, sort: str, state: str) -> Transition | None:
    """Return the row that permits the action; None if none does."""
    return next((row for row in rows(action, part) if sort in row.sorts and state in row.states), None)


def possible(part: str, sort: str, state: str) -> list[str]:
    """Return the actions that the table permits."""
    return [action for action in ACTIONS if find(action, part, sort, state) is not None]

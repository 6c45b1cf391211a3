"""What can happen to a message before it is sent."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What happens to a message, from the mildest to the strictest action."""

    DELIVER = "deliver"
    NUDGE = "nudge"
    SCHEDULE = "schedule"
    HOLD = "hold"
    BLOCK = "block"


_ORDER = list(Action)


def strictness(action: Action) -> int:
    """Return the position of an action, so that ``max`` finds the strictest one."""
    return _ORDER.index(action)

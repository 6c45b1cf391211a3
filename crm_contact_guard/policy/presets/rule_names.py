"""The names of rules, and which rule decides on a piece of evidence.

A name is a base, followed by any of a kind of finding, a stance and a side: ``attempt``, ``attempt.side_deal``,
``attempt.contact_identifier.offer.employee``. Of the rules that match, the one with the most parts decides, and the
strictest of several with equally many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from crm_contact_guard.detection.types import By, Kind, Stance
from crm_contact_guard.policy.actions import Action, strictness

ATTEMPT: Final = "attempt"
AFTER_HOURS: Final = "after_hours"
QUIET_HOURS: Final = "quiet_hours"
#: Rules on the time of a message. They have no further parts.
TIMES: Final = (AFTER_HOURS, QUIET_HOURS)
#: Kinds of findings that are an attempt to leave the company's channels if the stance is one.
ATTEMPT_KINDS: Final = (Kind.CONTACT_IDENTIFIER, Kind.CONTACT_REQUEST, Kind.PRIVATE_MEETING, Kind.SIDE_DEAL)
#: Other kinds, each with a rule of its own.
OTHER_KINDS: Final = (Kind.HARASSMENT, Kind.SENSITIVE_DATA, Kind.PRIVATE_TOPIC)
BASES: Final = (ATTEMPT, *map(str, OTHER_KINDS), *TIMES)
ATTEMPT_STANCES: Final = tuple(stance for stance in Stance if stance.is_attempt)


class BadRule(ValueError):
    """A rule's name or action is unknown. The message names the known ones."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule on content is applied to: the base, and the parts that its name may contain."""

    base: str
    kind: str = ""
    stance: str = ""
    by: str = By.EMPLOYEE.value

    @property
    def parts(self) -> frozenset[str]:
        return frozenset((self.kind, self.stance, self.by)) - {""}


@lru_cache(maxsize=1024)
def split(name: str) -> tuple[str, frozenset[str]]:
    """Split a rule's name into its base and its other parts. Raise BadRule for an unknown name."""
    base, *parts = name.split(".")
    if base not in BASES:
        raise BadRule(f"unknown rule {name!r}{_near(base, BASES)}")
    columns: list[tuple[str, ...]] = []
    if base == ATTEMPT:
        columns = [tuple(map(str, ATTEMPT_KINDS)), tuple(map(str, ATTEMPT_STANCES))]
    if base not in TIMES:
        columns.append(tuple(map(str, By)))
    known = [word for column in columns for word in column]
    for part in parts:
        while columns and part not in columns[0]:
            columns.pop(0)
        if not columns:
            raise BadRule(f"unknown part {part!r} of rule {name!r}{_near(part, known)}")
        columns.pop(0)
    return base, frozenset(parts)


def action_named(word: object, known: Sequence[Action] = tuple(Action)) -> Action:
    """Return the action. Raise BadRule, which lists the known ones."""
    if word not in list(known):
        raise BadRule(f"unknown action {word!r}; known: {', '.join(known)}")
    return Action(str(word))


def deciding(rules: Mapping[str, Action], evidence: Evidence) -> str | None:
    """Return the name of the rule that decides on the evidence, or None if there is no rule for it."""
    wanted = evidence.parts
    matching = [
        (len(parts), strictness(action), name)
        for name, action in rules.items()
        for base, parts in [split(name)]
        if base == evidence.base and parts <= wanted
    ]
    return max(matching)[2] if matching else None


def merged(preset: Mapping[str, Action], own: Mapping[str, Action]) -> dict[str, Action]:
    """Return the preset's rules with the company's own.

    An own rule also replaces the preset's narrower rules. With ``{"attempt": "deliver"}``, a preset's
    ``attempt.side_deal`` no longer applies.
    """
    return {**{name: action for name, action in preset.items() if not any(_covers(o, name) for o in own)}, **own}


def _covers(broad: str, narrow: str) -> bool:
    (base, parts), (other, others) = split(broad), split(narrow)
    return base == other and parts <= others


def _near(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""

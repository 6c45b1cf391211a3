"""How sure the detector must be to warn somebody, and to keep what it saw: by industry, direction and wish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.exceptions import ConfigurationError


class Thresholds(NamedTuple):
    """The scores from which a message warns somebody, and from which it is noticed."""

    alert: float
    noticed: float


#: What the detector's own thresholds are multiplied by. What each costs and brings: docs/detection.md.
SENSITIVITIES: Final[dict[str, Thresholds]] = {
    "quiet": Thresholds(alert=1.4, noticed=1.4),
    "balanced": Thresholds(alert=1.0, noticed=1.0),
    "strict": Thresholds(alert=0.7, noticed=0.7),
}
#: What an industry chooses, by direction. Strict where an attempt that nobody sees costs more than an alert too many.
PRESETS: Final[dict[str, Mapping[Direction, str]]] = {
    "finance": {Direction.OUTBOUND: "strict", Direction.INBOUND: "strict", Direction.NOTE: "strict"},
}
_OTHERWISE: Final = "balanced"
#: A score is a probability: nothing beyond these tells two messages apart.
_LEAST, _MOST = 0.01, 0.99


def thresholds(own: Thresholds) -> dict[Direction, Thresholds]:
    """What counts for texts of each direction; ``own`` are the detector's own thresholds.

    ``THRESHOLDS`` comes first, then ``SENSITIVITY``, then the industry's preset. Raises ConfigurationError for an
    unknown word or a number that is no score.
    """
    found = {}
    for direction in Direction:
        factor = SENSITIVITIES[_word(direction)]
        given = _given(direction)
        alert = given.get("alert", _within(own.alert * factor.alert))
        noticed = given.get("noticed", _within(own.noticed * factor.noticed))
        found[direction] = Thresholds(alert, min(alert, noticed))
    return found


def check() -> None:
    """Raises ConfigurationError as ``thresholds`` does, without a detector."""
    thresholds(Thresholds(0.5, 0.5))


def _word(direction: Direction) -> str:
    """The sensitivity for a direction: one word for all of them, or one each."""
    chosen = settings.SENSITIVITY
    if isinstance(chosen, Mapping):
        _known("SENSITIVITY", chosen, [*Direction])
        chosen = chosen.get(direction, "")
    word = chosen or PRESETS.get(settings.INDUSTRY, {}).get(direction, _OTHERWISE)
    if word not in SENSITIVITIES:
        raise ConfigurationError(f'CONTACT_GUARD["SENSITIVITY"] = {word!r}; known: {", ".join(SENSITIVITIES)}')
    return str(word)


def _given(direction: Direction) -> dict[str, float]:
    """The company's own numbers: for all directions, and over them those for this one."""
    whole = settings.THRESHOLDS
    _known("THRESHOLDS", whole, [*Thresholds._fields, *Direction])
    one = whole.get(direction, {})
    _known(f"THRESHOLDS[{str(direction)!r}]", one, Thresholds._fields)
    given = {name: table[name] for table in (whole, one) for name in Thresholds._fields if name in table}
    for name, score in given.items():
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 < score < 1:
            raise ConfigurationError(f'CONTACT_GUARD["THRESHOLDS"]: {name} = {score!r} is no number between 0 and 1')
    return given


def _known(name: str, table: object, words: list[str] | tuple[str, ...]) -> None:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f'CONTACT_GUARD["{name}"] is no dict of {", ".join(words)}')
    for word in table:
        if word not in words:
            raise ConfigurationError(f'CONTACT_GUARD["{name}"] names {word!r}; known: {", ".join(words)}')


def _within(score: float) -> float:
    return min(_MOST, max(_LEAST, score))

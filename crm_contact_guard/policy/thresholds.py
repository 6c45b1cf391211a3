"""The scores required for an alert and for a noticed message, depending on industry, direction and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import presets


class Thresholds(NamedTuple):
    """The minimum scores at which a message raises an alert, and at which it is noticed."""

    alert: float
    noticed: float


#: Factors for the detector's own thresholds. For their effects, see docs/detection.md.
SENSITIVITIES: Final[dict[str, Thresholds]] = {
    "quiet": Thresholds(alert=1.4, noticed=1.4),
    "balanced": Thresholds(alert=1.0, noticed=1.0),
    "strict": Thresholds(alert=0.7, noticed=0.7),
}
#: The lowest and highest possible thresholds. Scores beyond these no longer distinguish between messages.
_LEAST, _MOST = 0.01, 0.99


def thresholds(own: Thresholds) -> dict[Direction, Thresholds]:
    """Return the thresholds for each direction. ``own`` contains the detector's own thresholds.

    ``THRESHOLDS`` takes precedence over ``SENSITIVITY``, which takes precedence over the industry's preset. Raise
    ConfigurationError for an unknown key or an invalid score.
    """
    result = {}
    for direction in Direction:
        factor = SENSITIVITIES[_sensitivity(direction)]
        configured = _configured(direction)
        alert = configured.get("alert", _clipped(own.alert * factor.alert))
        noticed = configured.get("noticed", _clipped(own.noticed * factor.noticed))
        result[direction] = Thresholds(alert, min(alert, noticed))
    return result


def of_sensitivity(own: Thresholds, sensitivity: Mapping[Direction, str]) -> dict[Direction, Thresholds]:
    """Return the thresholds for each direction by sensitivity alone. ``own``: as in ``thresholds``."""
    factors = {direction: SENSITIVITIES[sensitivity[direction]] for direction in Direction}
    return {
        direction: Thresholds(_clipped(own.alert * factor.alert), _clipped(own.noticed * factor.noticed))
        for direction, factor in factors.items()
    }


def check() -> None:
    """Raise ConfigurationError for invalid settings, as ``thresholds`` does, but without loading the detector."""
    for direction in Direction:
        _sensitivity(direction)
        _configured(direction)


def _sensitivity(direction: Direction) -> str:
    """Return the sensitivity for a direction. The setting is one value for all directions, or a dict by direction."""
    chosen = settings.SENSITIVITY
    if isinstance(chosen, Mapping):
        _check_keys("SENSITIVITY", chosen, [*Direction])
        chosen = chosen.get(direction, "")
    word = chosen or presets.chosen().sensitivity[direction]
    if word not in SENSITIVITIES:
        raise ConfigurationError(f'CONTACT_GUARD["SENSITIVITY"] = {word!r}; known: {", ".join(SENSITIVITIES)}')
    return str(word)


def _configured(direction: Direction) -> dict[str, float]:
    """Return the company's own thresholds for a direction. Thresholds for one direction override the general ones."""
    whole = settings.THRESHOLDS
    _check_keys("THRESHOLDS", whole, [*Thresholds._fields, *Direction])
    one = whole.get(direction, {})
    _check_keys(f"THRESHOLDS[{str(direction)!r}]", one, Thresholds._fields)
    scores = {name: table[name] for table in (whole, one) for name in Thresholds._fields if name in table}
    for name, score in scores.items():
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 < score < 1:
            raise ConfigurationError(f'CONTACT_GUARD["THRESHOLDS"]: {name} = {score!r} is not a number between 0 and 1')
    return scores


def _check_keys(name: str, table: object, words: list[str] | tuple[str, ...]) -> None:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f'CONTACT_GUARD["{name}"] is not a dict of {", ".join(words)}')
    for word in table:
        if word not in words:
            raise ConfigurationError(f'CONTACT_GUARD["{name}"] names {word!r}; known: {", ".join(words)}')


def _clipped(score: float) -> float:
    return min(_MOST, max(_LEAST, score))

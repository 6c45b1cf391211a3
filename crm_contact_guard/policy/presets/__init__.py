"""Presets per industry, from the TOML files in this folder: rules, sensitivity, proposals and texts.

The settings ``RULES``, ``SENSITIVITY`` and ``THRESHOLDS`` override a preset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.presets import reading
from crm_contact_guard.policy.presets.rule_names import BadRule, action_named, merged, split
from crm_contact_guard.policy.presets.shapes import LANGUAGES, Preset, WordingKind

_FOLDER: Final = Path(__file__).parent
_GENERAL: Final = "general"
#: Actions that a rule may have.
ACTIONS: Final = tuple(Action)
#: The industries for which there is a preset.
INDUSTRIES: Final = ("general", "finance", "healthcare", "hospitality", "overseas_shop", "sales")


@cache
def preset(industry: str) -> Preset:
    """Return an industry's preset. Raise ConfigurationError for an unknown industry."""
    if industry not in INDUSTRIES:
        raise ConfigurationError(f'CONTACT_GUARD["INDUSTRY"] = {industry!r}; known: {", ".join(sorted(INDUSTRIES))}')
    base = None if industry == _GENERAL else preset(_GENERAL)
    return reading.read(_FOLDER / f"{industry}.toml", base)


def chosen() -> Preset:
    """Return the preset of the setting ``INDUSTRY``. Raise ConfigurationError if it is unknown."""
    return preset(settings.INDUSTRY)


def rules() -> dict[str, Action]:
    """Return the actions by rule: the preset's, and those of the setting ``RULES``.

    Raise ConfigurationError for an unknown industry, rule or action.
    """
    return merged(chosen().rules, own_rules(settings.RULES))


def own_rules(configured: Mapping[str, object]) -> dict[str, Action]:
    """Return a company's own rules. Raise ConfigurationError for an unknown rule or action."""
    found = {}
    for name, word in configured.items():
        try:
            split(name)
            found[name] = action_named(word, ACTIONS)
        except BadRule as error:
            raise ConfigurationError(f'CONTACT_GUARD["RULES"][{name!r}] = {word!r}: {error}') from None
    return found


def wordings(language: str, kind: WordingKind) -> Sequence[str]:
    """Return sentences that a writer can send instead: ``decline`` a request kindly, or ``return`` to this channel.

    They are in ``language`` (a code such as ``ja`` or ``en-gb``), or in English if there are none in it. Raise
    ConfigurationError for an unknown industry.
    """
    known = language.partition("-")[0].lower()
    return chosen().wordings[kind][known if known in LANGUAGES else "en"]

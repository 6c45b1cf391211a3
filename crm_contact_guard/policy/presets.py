"""Rules per industry for messages before they are sent. The setting ``RULES`` overrides individual rules.

For the detector's thresholds per industry and direction, see ``thresholds``.
"""

from __future__ import annotations

from typing import Final, Literal, TypedDict, cast

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError

Action = Literal["deliver", "nudge", "block"]


class Rules(TypedDict):
    """The action for each rule. ``attempt``: the message is an attempt. ``after_hours``: the writer is off duty.

    ``quiet_hours``: the customer shouldn't be disturbed now, and hasn't just written.
    """

    attempt: Action
    after_hours: Action
    quiet_hours: Action


_GENTLE: Final = Rules(attempt="nudge", after_hours="deliver", quiet_hours="deliver")

PRESETS: Final[dict[str, Rules]] = {
    "general": _GENTLE,
    "hospitality": _GENTLE,
    "sales": _GENTLE,
    "overseas_shop": _GENTLE,
    "healthcare": Rules(attempt="nudge", after_hours="nudge", quiet_hours="deliver"),
    "finance": Rules(attempt="block", after_hours="nudge", quiet_hours="deliver"),
}
ACTIONS: Final = ("deliver", "nudge", "block")


def rules() -> Rules:
    """Return the company's rules. Raise ConfigurationError for an unknown industry, rule or action."""
    industry = settings.INDUSTRY
    if industry not in PRESETS:
        raise ConfigurationError(f'CONTACT_GUARD["INDUSTRY"] = {industry!r}; known: {", ".join(sorted(PRESETS))}')
    chosen = dict(PRESETS[industry])
    for name, action in settings.RULES.items():
        if name not in chosen or action not in ACTIONS:
            names = ", ".join(sorted(chosen))
            raise ConfigurationError(
                f'CONTACT_GUARD["RULES"][{name!r}] = {action!r}; rules: {names}; actions: {", ".join(ACTIONS)}'
            )
        chosen[name] = action
    return cast(Rules, chosen)

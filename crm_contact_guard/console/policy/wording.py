"""Names of rules, actions, thresholds and industries, and of the differences between two versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.detection.types import Direction
from crm_contact_guard.hosting.languages import spoken
from crm_contact_guard.policy import presets
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.supervision.models import FindingKind, Side, Stance, Tier

ACTIONS: Final[dict[str, Any]] = {
    Action.DELIVER: gettext_lazy("Send"),
    Action.NUDGE: gettext_lazy("Ask first"),
    Action.SCHEDULE: gettext_lazy("Send later"),
    Action.HOLD: gettext_lazy("Ask the supervisor"),
    Action.BLOCK: gettext_lazy("Don't send"),
}
DIRECTIONS: Final[dict[Direction, Any]] = {
    Direction.OUTBOUND: gettext_lazy("From employees"),
    Direction.INBOUND: gettext_lazy("From customers"),
    Direction.NOTE: gettext_lazy("Notes of calls and meetings"),
}
#: Whether a text raises an alert.
WARNED: Final[dict[Tier | None, Any]] = {
    Tier.ALERT: gettext_lazy("A supervisor is told"),
    Tier.NOTICED: gettext_lazy("Only noticed"),
    None: gettext_lazy("Nothing"),
}
_BASES: Final[dict[str, Any]] = {
    "attempt": gettext_lazy("Leaving the company's channels"),
    "after_hours": gettext_lazy("The writer is off duty"),
    "quiet_hours": gettext_lazy("The customer's quiet hours"),
}


@dataclass(frozen=True)
class Difference:
    """One line of a comparison. ``before`` or ``after`` is empty if the rule exists on one side only."""

    what: str
    before: str
    after: str


def rule_label(name: str) -> str:
    """Return a rule's name in words, such as "Leaving the company's channels: Deal past the company"."""
    base, *parts = name.split(".")
    words: dict[str, str] = {
        value: str(label) for choices in (FindingKind, Stance, Side) for value, label in choices.choices
    }
    first = str(_BASES[base]) if base in _BASES else words[base]
    return first + (": " + ", ".join(words[part] for part in parts) if parts else "")


def industry_label(name: str) -> str:
    """Return an industry's name."""
    return presets.preset(name).label[spoken()]


def differences(old: Rulebook, new: Rulebook) -> Iterator[Difference]:
    """Yield what differs between two versions."""
    if old.industry != new.industry:
        yield Difference(_("Industry"), industry_label(old.industry), industry_label(new.industry))
    for name in sorted({*old.rules, *new.rules}):
        before, after = old.rules.get(name), new.rules.get(name)
        if before is not after:
            yield Difference(rule_label(name), _action(before), _action(after))
    for direction, label in DIRECTIONS.items():
        one, other = old.thresholds[direction], new.thresholds[direction]
        if one.alert != other.alert:
            yield Difference(f"{label}: {_('alert from')}", f"{one.alert:.2f}", f"{other.alert:.2f}")
        if one.noticed != other.noticed:
            yield Difference(f"{label}: {_('noticed from')}", f"{one.noticed:.2f}", f"{other.noticed:.2f}")
    if old.review_share != new.review_share:
        yield Difference(_("Share to review"), f"{old.review_share:.1%}", f"{new.review_share:.1%}")
    for rule in sorted({*old.silent} ^ {*new.silent}):
        words = [_("raises alerts"), _("silent, only noticed")]
        yield Difference(" ".join(rule), *(words if rule in new.silent else words[::-1]))


def _action(action: Action | None) -> str:
    return str(ACTIONS[action]) if action is not None else _("no rule")

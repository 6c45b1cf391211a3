"""Judges a typed text by the rules in force and by others, before they are published. Nothing is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_contact_guard import crm, detection
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.rulebook import Applied, Rulebook
from crm_contact_guard.policy.versions.current import company_now, in_force
from crm_contact_guard.policy.versions.rights import may_set_policy
from crm_contact_guard.supervision import verdicts
from crm_contact_guard.supervision.models import Tier


@dataclass(frozen=True)
class Judged:
    """What rules do with a text.

    ``action`` and ``applied``: if an employee sends it. ``warned``: the tier of what it would raise, by the direction
    of the message; None if nothing.
    """

    action: Action
    applied: tuple[Applied, ...]
    warned: dict[Direction, Tier | None]


def sample_try(
    *, viewer: Employee, text: str, rules: Rulebook, after_hours: bool = False, quiet_hours: bool = False
) -> tuple[Judged, Judged]:
    """Return what the rules in force do with a text, and what ``rules`` would do.

    ``after_hours`` and ``quiet_hours`` are objections to the time at which it is sent. Raise NotPermitted.
    """
    if not may_set_policy(viewer):
        raise NotPermitted(_("Compliance officers decide on the rules."))
    with crm.tenant(viewer.tenant):
        now = in_force(viewer.tenant).rules
        present, new = (_judged(text, one, after_hours, quiet_hours) for one in (now, rules))
    return present, new


def _judged(text: str, rules: Rulebook, after_hours: bool, quiet_hours: bool) -> Judged:
    scans = {
        direction: detection.scan(text, direction=direction, company=company_now(rules))
        for direction in (Direction.OUTBOUND, Direction.INBOUND)
    }
    evidence = rulebook.evidence_of(verdicts.told_beforehand(scans[Direction.OUTBOUND]))
    applied = rules.apply(dict.fromkeys(evidence), after_hours=after_hours, quiet_hours=quiet_hours)
    return Judged(
        rulebook.strictest(applied), applied, {direction: verdicts.highest(scan) for direction, scan in scans.items()}
    )

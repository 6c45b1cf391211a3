"""A typed text, judged by the rules in force and by those of the form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_contact_guard.console.policy.forms import PolicyForm
from crm_contact_guard.console.policy.wording import ACTIONS, DIRECTIONS, WARNED, rule_label
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.rehearsing.sampling import sample_try


@dataclass(frozen=True)
class SampleLine:
    """One thing that rules do with the typed text: the rules in force, and the new ones."""

    what: str
    now: str
    new: str

    @property
    def differs(self) -> bool:
        return self.now != self.new


def sampled_lines(form: PolicyForm, viewer: Employee) -> Iterator[SampleLine]:
    """Yield what the rules in force and those of the form do with the typed text."""
    given = form.cleaned_data
    present, new = sample_try(
        viewer=viewer,
        text=given["sample"],
        rules=form.rulebook(),
        after_hours=given["off_duty"],
        quiet_hours=given["quiet"],
    )
    yield SampleLine(_("If a colleague sends it"), *(str(ACTIONS[one.action]) for one in (present, new)))
    rules = (", ".join(rule_label(one.rule) for one in judged.applied) for judged in (present, new))
    yield SampleLine(_("Rules that apply"), *(words or _("none") for words in rules))
    for direction in (Direction.OUTBOUND, Direction.INBOUND):
        tiers = (WARNED[judged.warned[direction]] for judged in (present, new))
        yield SampleLine(str(DIRECTIONS[direction]), *map(str, tiers))

"""The form with every rule, threshold and proposal of a version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.policy.wording import ACTIONS, DIRECTIONS, rule_label
from crm_contact_guard.policy import presets
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.presets.rule_names import AFTER_HOURS, ATTEMPT, ATTEMPT_KINDS, OTHER_KINDS, QUIET_HOURS
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.thresholds import Thresholds

#: Rules that are always shown, in this order. A version's other rules follow.
_SHOWN: Final = (
    ATTEMPT,
    *(f"{ATTEMPT}.{kind.value}" for kind in ATTEMPT_KINDS),
    *(kind.value for kind in OTHER_KINDS),
    AFTER_HOURS,
    QUIET_HOURS,
)
_NEEDED: Final = (ATTEMPT, AFTER_HOURS, QUIET_HOURS)
_LOCAL: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Line:
    """A rule and its field."""

    label: str
    field: forms.BoundField


@dataclass(frozen=True)
class Scores:
    """The two thresholds of one direction."""

    label: str
    alert: forms.BoundField
    noticed: forms.BoundField


class PolicyForm(forms.Form):
    """A version to be published. Fields start from ``base``.

    With ``tries``, the version is only looked at or tried: no reason is needed.
    """

    review_share = forms.FloatField(label=_("Share of unmarked conversations to review, %"), min_value=0, max_value=100)
    reason = forms.CharField(label=_("Reason, for the record"), max_length=500)
    valid_from = forms.DateTimeField(
        label=_("Valid from (empty: at once)"),
        required=False,
        input_formats=[_LOCAL, f"{_LOCAL}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
    )

    sample = forms.CharField(
        label=_("A text to judge"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )
    off_duty = forms.BooleanField(label=_("The writer is off duty"), required=False)
    quiet = forms.BooleanField(label=_("The customer's quiet hours"), required=False)

    def __init__(self, base: Rulebook, data: Any = None, *, tries: bool = False) -> None:
        self.base = base
        initial: dict[str, Any] = {"review_share": round(base.review_share * 100, 2)}
        names = [*_SHOWN, *sorted(name for name in base.rules if name not in _SHOWN)]
        choices = [(action.value, ACTIONS[action]) for action in presets.ACTIONS]
        rules = {}
        for name in names:
            empty = [] if name in _NEEDED else [("", _("no rule of its own"))]
            rules[name] = forms.ChoiceField(
                label=rule_label(name), choices=[*empty, *choices], required=name in _NEEDED
            )
            initial[f"rule-{name}"] = base.rules.get(name, "")
        super().__init__(data, initial=initial)
        self.label_suffix = ""
        self.names = names
        self.fields.update({f"rule-{name}": field for name, field in rules.items()})
        for direction, scores in base.thresholds.items():
            for kind, score in scores._asdict().items():
                widget = forms.NumberInput(attrs={"step": "0.01", "aria-label": f"{DIRECTIONS[direction]}, {kind}"})
                name = f"{kind}-{direction.value}"
                self.fields[name] = forms.FloatField(label=kind, min_value=0.01, max_value=0.99, widget=widget)
                self.initial[name] = round(score, 4)
        if tries:
            self.fields["reason"].required = False
        for name, field in self.fields.items():
            if name not in ("off_duty", "quiet"):
                field.widget.attrs["class"] = "cg-input"
            field.widget.attrs["autocomplete"] = "off"

    def lines(self) -> Iterator[Line]:
        """Yield the rules in the order of the page."""
        for name in self.names:
            yield Line(rule_label(name), self[f"rule-{name}"])

    def scores(self) -> Iterator[Scores]:
        """Yield the thresholds by direction."""
        for direction, label in DIRECTIONS.items():
            yield Scores(str(label), self[f"alert-{direction.value}"], self[f"noticed-{direction.value}"])

    def rulebook(self) -> Rulebook:
        """Return the version that the valid form describes."""
        given = self.cleaned_data
        return Rulebook(
            industry=self.base.industry,
            rules={name: Action(given[f"rule-{name}"]) for name in self.names if given[f"rule-{name}"]},
            thresholds={
                direction: Thresholds(
                    alert=given[f"alert-{direction.value}"],
                    noticed=min(given[f"alert-{direction.value}"], given[f"noticed-{direction.value}"]),
                )
                for direction in self.base.thresholds
            },
            review_share=round(given["review_share"] / 100, 4),
            outcomes=self.base.outcomes,
            silent=self.base.silent,
        )

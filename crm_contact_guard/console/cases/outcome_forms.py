"""The forms that lead to the outcome of a case: proposal, decision, objection and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.cases.step_form import StepForm, text_field
from crm_contact_guard.supervision.cases import deciding
from crm_contact_guard.supervision.cases.outcomes import CONDUCT, Outcome, harsher, offered, words


class _Terms(StepForm):
    """The figures of a pay cut."""

    wages = forms.CharField(label=_("Wages of the last three months, yen"), required=False, max_length=20)
    closing = forms.DateField(
        label=_("Last closing day of these wages"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    days_worked = forms.CharField(
        label=_("Days worked (only for pay by the day, hour or piece)"), required=False, max_length=5
    )
    cuts = forms.CharField(label=_("Cut for each incident, yen"), required=False, max_length=500)
    periods = forms.CharField(label=_("Wages of the coming periods, yen"), required=False, max_length=500)
    already = forms.CharField(label=_("Already cut in these periods, yen"), required=False, max_length=500)

    _FIGURES: Final = ("wages", "closing", "days_worked", "cuts", "periods", "already")

    def figures(self, values: dict[str, Any]) -> Mapping[str, Any] | None:
        """Take the figures out of ``values``; None if the outcome is no pay cut."""
        given = {name: values.pop(name) for name in self._FIGURES}
        return given if values.get("outcome") == Outcome.PAY_CUT else None

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in self._FIGURES]

    @property
    def pay_fields(self) -> list[forms.BoundField]:
        choices = dict(self.fields["outcome"].choices)  # type: ignore[attr-defined]
        return [self[name] for name in self._FIGURES] if Outcome.PAY_CUT.value in choices else []


class Propose(_Terms):
    title = _("Propose an outcome")
    hint = _("The employee doesn't see proposals.")
    outcome = forms.ChoiceField(label=_("Outcome"))
    reason = text_field(_("Reason; the employee reads it in the letter"), 5)

    field_order = ("outcome", "reason")

    def prepare(self) -> None:
        self.fields["outcome"].choices = [(str(one), words(one)) for one in offered(self.case.sort)]  # type: ignore[attr-defined]

    def act(self, **values: Any) -> None:
        terms = self.figures(values)
        deciding.outcome_propose(**values, terms=terms)


class Approve(StepForm):
    title = _("Approve the outcome")

    def act(self, **values: Any) -> None:
        deciding.outcome_approve(**values)


class SendBack(StepForm):
    title = _("Withdraw the proposal")
    reason = text_field(_("Reason"), 2, 4000)

    def act(self, **values: Any) -> None:
        deciding.outcome_send_back(**values)


class Decide(StepForm):
    title = _("Decide, and tell the employee")
    hint = _("The employee gets a letter with the outcome, the reason, and how to object.")

    def act(self, **values: Any) -> None:
        deciding.outcome_decide(**values)


class Appeal(StepForm):
    title = _("Object to the outcome")
    hint = _("Somebody who took no part in the decision answers. Objecting has no disadvantages for you.")
    text = text_field(_("Why you disagree"), 5)

    def act(self, **values: Any) -> None:
        deciding.appeal_make(**values)


class Answer(_Terms):
    title = _("Answer the objection")
    hint = _("The outcome can stay, or become milder.")
    outcome = forms.ChoiceField(label=_("Outcome"), required=False)
    text = text_field(_("Answer; the employee reads it"), 5)

    field_order = ("outcome", "text")

    def prepare(self) -> None:
        now = self.case.outcome
        milder = [one for one in offered(self.case.sort) if now in CONDUCT and harsher(now, one)]
        choices = [("", _("Keep: %(outcome)s") % {"outcome": words(now)}), *((str(one), words(one)) for one in milder)]
        self.fields["outcome"].choices = choices  # type: ignore[attr-defined]

    def act(self, **values: Any) -> None:
        terms = self.figures(values)
        deciding.appeal_answer(**values, terms=terms)


class Close(StepForm):
    title = _("Close the case")

    def act(self, **values: Any) -> None:
        deciding.case_close(**values)


class Drop(StepForm):
    title = _("End without action")
    hint = _("The case is closed at once.")
    reason = text_field(_("Reason"), 3)

    def act(self, **values: Any) -> None:
        deciding.case_drop(**values)

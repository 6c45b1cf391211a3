"""The forms with which the employee concerned is told and heard."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.cases.step_form import StepForm, moment_field, text_field
from crm_contact_guard.supervision.cases import working


class Tell(StepForm):
    title = _("Tell the employee and invite to a hearing")
    hint = _("The employee gets a letter and sees the case from now on, without notes and interviews.")
    allegation = text_field(_("What is alleged"), 5)

    def act(self, **values: Any) -> None:
        working.case_tell(**values)


class Hear(StepForm):
    title = _("Record the hearing")
    hint = _("What the employee said, or that the employee did not wish to comment. The employee can read it.")
    occurred_at = moment_field(_("When"))
    text = text_field(_("What the employee said"), 5)

    def act(self, **values: Any) -> None:
        working.hearing_record(**values)


class Statement(StepForm):
    title = _("Add your view")
    hint = _("You can write as often as you like. All participants read it.")
    text = text_field(_("Your view"), 5)

    def act(self, **values: Any) -> None:
        working.statement_add(**values)

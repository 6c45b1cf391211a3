"""The forms for the work on a case, and ``FORMS``: the form for each step, by the step's name in the URL."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.cases.hearing_forms import Hear, Statement, Tell
from crm_contact_guard.console.cases.outcome_forms import (
    Answer,
    Appeal,
    Approve,
    Close,
    Decide,
    Drop,
    Propose,
    SendBack,
)
from crm_contact_guard.console.cases.step_form import StepForm, moment_field, text_field
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.supervision.cases import opening, working
from crm_contact_guard.supervision.cases.models import Part


class Join(StepForm):
    title = _("Take part in this case")
    reason = text_field(_("Reason; all participants can read it"), 2, 1000)

    def act(self, **values: Any) -> None:
        opening.case_join(**values)


class Investigate(StepForm):
    title = _("Look into it")

    def act(self, **values: Any) -> None:
        working.case_investigate(**values)


class Note(StepForm):
    title = _("Write a note")
    hint = _("Only participants read notes.")
    text = text_field(_("Note"))

    def act(self, **values: Any) -> None:
        working.note_add(**values)


class Interview(StepForm):
    title = _("Record an interview")
    hint = _("Only participants read interviews.")
    occurred_at = moment_field(_("When"))
    text = text_field(_("Who said what"), 5)

    def act(self, **values: Any) -> None:
        working.interview_add(**values)


class TaskAdd(StepForm):
    title = _("Add a task")
    what = forms.CharField(label=_("Task"), max_length=200)
    assignee = forms.ChoiceField(label=_("For"))
    due_at = moment_field(_("Due"))

    def prepare(self) -> None:
        people = self.case.participants.select_related("employee")
        self.people = {str(one.employee_id): one.employee for one in people}
        self.fields["assignee"].choices = [(key, one.name) for key, one in self.people.items()]  # type: ignore[attr-defined]

    def act(self, **values: Any) -> None:
        what, assignee = values.pop("what"), self.people[values.pop("assignee")]
        working.task_add(**values, title=what, assignee=assignee)


class TaskDone(StepForm):
    task = forms.UUIDField(widget=forms.HiddenInput)

    def act(self, **values: Any) -> None:
        task = values.pop("task")
        working.task_done(**values, task_id=task)


class ParticipantAdd(StepForm):
    title = _("Add a participant")
    person = forms.ChoiceField(label=_("Person"))
    part = forms.ChoiceField(label=_("Part"), choices=Part.choices[:3], initial=Part.MEMBER)

    def prepare(self) -> None:
        known = self.case.participants.values("employee")
        people = Employee.objects.filter(tenant=self.case.tenant, active=True).exclude(role=Role.AUDITOR)
        people = people.exclude(pk__in=known).order_by("name")
        self.people = {str(one.pk): one for one in people[:1000] if one.pk != self.case.concerned_id}
        self.fields["person"].choices = [(key, one.name) for key, one in self.people.items()]  # type: ignore[attr-defined]

    def act(self, **values: Any) -> None:
        working.participant_add(**{**values, "person": self.people[values["person"]]})


class ParticipantRemove(StepForm):
    person = forms.UUIDField(widget=forms.HiddenInput)

    def act(self, **values: Any) -> None:
        person = Employee.objects.filter(pk=values["person"], tenant=self.case.tenant).first()
        if person is not None:
            working.participant_remove(**{**values, "person": person})


#: By the step's name in the address. The first ones are offered first.
FORMS: Final[dict[str, type[StepForm]]] = {
    "state": Statement,
    "appeal": Appeal,
    "investigate": Investigate,
    "tell": Tell,
    "hear": Hear,
    "approve": Approve,
    "decide": Decide,
    "answer": Answer,
    "propose": Propose,
    "close": Close,
    "note": Note,
    "interview": Interview,
    "task_add": TaskAdd,
    "participant_add": ParticipantAdd,
    "send_back": SendBack,
    "drop": Drop,
    "join": Join,
    "task_done": TaskDone,
    "participant_remove": ParticipantRemove,
}

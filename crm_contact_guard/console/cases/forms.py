"""One form for each step in a case. The address names the step; ``take`` calls the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.supervision.cases import deciding, opening, working
from crm_contact_guard.supervision.cases.models import Case, Part
from crm_contact_guard.supervision.cases.outcomes import CONDUCT, Outcome, harsher, offered, words
from crm_contact_guard.supervision.cases.steps import MAX_TEXT

_LOCAL: Final = "%Y-%m-%dT%H:%M"


class StepForm(forms.Form):
    """Base class. ``title`` names the step; ``hint`` says what follows."""

    title: ClassVar[str | Promise] = ""
    hint: ClassVar[str | Promise] = ""

    def __init__(self, case: Case, viewer: Employee, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{type(self).__name__}-%s")
        self.case, self.viewer = case, viewer
        self.label_suffix = ""
        self.prepare()
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect):
                field.widget.attrs["class"] = "cg-input"

    def prepare(self) -> None:
        """Fill in choices that depend on the case."""

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """The fields without the figures of a pay cut."""
        return list(self)

    @property
    def pay_fields(self) -> list[forms.BoundField]:
        """The figures of a pay cut; empty where none can be chosen."""
        return []

    def take(self) -> None:
        """Take the step with the cleaned values. Raise as the service does."""
        self.act(case_id=self.case.pk, actor=self.viewer, **self.cleaned_data)

    def act(self, **values: Any) -> None:
        raise NotImplementedError


def _text(label: Any, rows: int = 3, most: int = MAX_TEXT) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}))


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL)
    formats = [_LOCAL, f"{_LOCAL}:%S"]
    return forms.DateTimeField(label=label, initial=timezone.localtime, input_formats=formats, widget=widget)


class Join(StepForm):
    title = _("Take part in this case")
    reason = _text(_("Reason; all participants can read it"), 2, 1000)

    def act(self, **values: Any) -> None:
        opening.case_join(**values)


class Investigate(StepForm):
    title = _("Look into it")

    def act(self, **values: Any) -> None:
        working.case_investigate(**values)


class Note(StepForm):
    title = _("Write a note")
    hint = _("Only participants read notes.")
    text = _text(_("Note"))

    def act(self, **values: Any) -> None:
        working.note_add(**values)


class Interview(StepForm):
    title = _("Record an interview")
    hint = _("Only participants read interviews.")
    occurred_at = _moment(_("When"))
    text = _text(_("Who said what"), 5)

    def act(self, **values: Any) -> None:
        working.interview_add(**values)


class TaskAdd(StepForm):
    title = _("Add a task")
    what = forms.CharField(label=_("Task"), max_length=200)
    assignee = forms.ChoiceField(label=_("For"))
    due_at = _moment(_("Due"))

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


class Tell(StepForm):
    title = _("Tell the employee and invite to a hearing")
    hint = _("The employee gets a letter and sees the case from now on, without notes and interviews.")
    allegation = _text(_("What is alleged"), 5)

    def act(self, **values: Any) -> None:
        working.case_tell(**values)


class Hear(StepForm):
    title = _("Record the hearing")
    hint = _("What the employee said, or that the employee did not wish to comment. The employee can read it.")
    occurred_at = _moment(_("When"))
    text = _text(_("What the employee said"), 5)

    def act(self, **values: Any) -> None:
        working.hearing_record(**values)


class Statement(StepForm):
    title = _("Add your view")
    hint = _("You can write as often as you like. All participants read it.")
    text = _text(_("Your view"), 5)

    def act(self, **values: Any) -> None:
        working.statement_add(**values)


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
    reason = _text(_("Reason; the employee reads it in the letter"), 5)

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
    reason = _text(_("Reason"), 2, 4000)

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
    text = _text(_("Why you disagree"), 5)

    def act(self, **values: Any) -> None:
        deciding.appeal_make(**values)


class Answer(_Terms):
    title = _("Answer the objection")
    hint = _("The outcome can stay, or become milder.")
    outcome = forms.ChoiceField(label=_("Outcome"), required=False)
    text = _text(_("Answer; the employee reads it"), 5)

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
    reason = _text(_("Reason"), 3)

    def act(self, **values: Any) -> None:
        deciding.case_drop(**values)


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

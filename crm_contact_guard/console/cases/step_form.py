"""The base class of the forms for steps in a case, and the fields that several of them have."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone
from django.utils.functional import Promise

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.cases.models import Case
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
        """Call the service that takes the step."""
        raise NotImplementedError


def text_field(label: Any, rows: int = 3, most: int = MAX_TEXT) -> forms.CharField:
    """Return a field for up to ``most`` characters, shown in ``rows`` lines."""
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}))


def moment_field(label: Any) -> forms.DateTimeField:
    """Return a field for a date and time, which is now until it is changed."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL)
    formats = [_LOCAL, f"{_LOCAL}:%S"]
    return forms.DateTimeField(label=label, initial=timezone.localtime, input_formats=formats, widget=widget)

"""The form of an export."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm_contact_guard import permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.times import midnight
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.formats import FORMATS, available
from crm_contact_guard.exports.jobs import rights
from crm_contact_guard.exports.jobs.models import ExportSchedule
from crm_contact_guard.exports.jobs.requesting import MAX_PURPOSE
from crm_contact_guard.exports.profiles import Profile
from crm_contact_guard.record.models import Direction, MessageKind

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ExportForm(forms.Form):
    """Which rows, in which formats, without what, and what for. The days are those of the viewer's time zone."""

    first_day = forms.DateField(label=pgettext_lazy("period", "From"), required=False, widget=_DATE)
    last_day = forms.DateField(label=gettext_lazy("Up to and including"), required=False, widget=_DATE)
    customer = forms.CharField(
        label=gettext_lazy("Customer: name, or number in the CRM"), required=False, max_length=100
    )
    employee = forms.ChoiceField(label=gettext_lazy("Employee"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    case = forms.ChoiceField(label=gettext_lazy("Case"), required=False)
    profile = forms.ChoiceField(label=gettext_lazy("What to leave out"), widget=forms.RadioSelect)
    formats = forms.MultipleChoiceField(
        label=gettext_lazy("Also as"), required=False, widget=forms.CheckboxSelectMultiple
    )
    repeat = forms.ChoiceField(label=gettext_lazy("How often"), required=False)
    attachments = forms.BooleanField(label=gettext_lazy("With the files of the messages"), required=False, initial=True)
    purpose = forms.CharField(
        label=gettext_lazy("Purpose, for the record"),
        max_length=MAX_PURPOSE,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say what the export is for.")},
    )

    def __init__(self, viewer: Employee, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self._viewer = viewer
        people = Employee.objects.filter(tenant=viewer.tenant).order_by("name", "pk")
        cases = permissions.cases(viewer).order_by("-opened_at")[:100]
        everything = ("", _("All"))
        self._choose("employee", [everything, *((str(one.pk), one.name) for one in people)])
        self._choose(
            "channel", [everything, *((alias, str(channel_choices.label(alias))) for alias in registry.aliases())]
        )
        self._choose("direction", [everything, *Direction.choices])
        self._choose("kind", [everything, *MessageKind.choices])
        self._choose("case", [everything, *((str(one.pk), _case(one)) for one in cases)])
        if not cases:
            del self.fields["case"]
        profiles = rights.profiles(viewer)
        self._choose("profile", [(profile.value, profile.label) for profile in profiles])
        self.fields["profile"].initial = Profile.MASKED.value
        self._choose("formats", [(name, FORMATS[name].label) for name in available()])
        self._choose("repeat", [("", _("Once")), *ExportSchedule.Period.choices])
        if Profile.FULL not in profiles:
            del self.fields["attachments"]
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple | forms.CheckboxInput):
                field.widget.attrs["class"] = "cg-input"

    def filters(self) -> Filters:
        """Return the chosen filters of a valid form."""
        chosen = self.cleaned_data
        last_day = chosen.get("last_day")
        return Filters(
            customer=chosen.get("customer") or None,
            employee=UUID(chosen["employee"]) if chosen.get("employee") else None,
            case=UUID(chosen["case"]) if chosen.get("case") else None,
            channel=chosen.get("channel") or None,
            direction=chosen.get("direction") or None,
            kind=chosen.get("kind") or None,
            occurred_from=midnight(chosen["first_day"]) if chosen.get("first_day") else None,
            occurred_before=midnight(last_day + timedelta(days=1)) if last_day else None,
        )

    def clean_customer(self) -> UUID | None:
        """Find the one customer that was meant."""
        words = str(self.cleaned_data["customer"]).replace("\0", "").strip()
        if not words:
            return None
        wanted = Q(key=words) | Q(name=words)
        with suppress(ValueError):
            wanted |= Q(pk=UUID(words))
        found = list(permissions.subjects(self._viewer).filter(wanted).values_list("pk", flat=True)[:2])
        if not found:
            raise forms.ValidationError(_("No customer by this name or number is known here."))
        if len(found) > 1:
            raise forms.ValidationError(_("Several customers have this name. Enter the number."))
        return found[0]

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = choices


def _case(case: Any) -> str:
    about = case.concerned.name if case.concerned is not None else case.get_sort_display()
    return f"{timezone.localtime(case.opened_at):%Y-%m-%d} · {about}"


def customer_name(key: UUID | None) -> str:
    """Return the name of a customer in a filter."""
    return Customer.objects.values_list("name", flat=True).filter(pk=key).first() or "—" if key else ""

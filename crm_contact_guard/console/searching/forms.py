"""The form of a search. Its fields are named like those of the export form, so that a search leads to an export."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm_contact_guard import permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.times import midnight
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.search import part_of
from crm_contact_guard.record.models import Direction
from crm_contact_guard.search.folding import LONGEST

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class SearchForm(forms.Form):
    """Words and filters. The days are those of the viewer's time zone."""

    q = forms.CharField(
        label=gettext_lazy("Words or “a phrase”"),
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    customer = forms.CharField(label=gettext_lazy("Customer"), required=False, max_length=100)
    employee = forms.ChoiceField(label=gettext_lazy("Employee"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), required=False)
    first_day = forms.DateField(label=pgettext_lazy("period", "From"), required=False, widget=_DATE)
    last_day = forms.DateField(label=gettext_lazy("Until"), required=False, widget=_DATE)

    def __init__(self, viewer: Employee, *args: Any, names_shown: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._viewer = viewer
        anyone = ("", _("Any"))
        seen = permissions.conversations(viewer).values("employee")
        people = Employee.objects.filter(tenant=viewer.tenant, pk__in=seen).order_by("name", "pk")
        choices: dict[str, list[tuple[str, Any]]] = {
            "employee": [(str(one.pk), one.name) for one in people],
            "channel": [(alias, str(channel_choices.label(alias))) for alias in registry.aliases()],
            "direction": list(Direction.choices),
        }
        for name, offered in choices.items():
            self._choose(name, [anyone, *offered])
        if not names_shown or len(choices["employee"]) < 2:
            del self.fields["employee"]
        if not names_shown:
            del self.fields["customer"]
        for field in self.fields.values():
            field.widget.attrs["class"] = "cg-input"

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = choices

    def lookups(self) -> dict[str, Any]:
        """Return the filters of a valid form as lookups of messages."""
        chosen = self.cleaned_data
        found: dict[str, Any] = {}
        if chosen.get("customer"):
            named = Customer.objects.filter(part_of("name", chosen["customer"]), tenant=self._viewer.tenant)
            found["conversation__customer__in"] = named
        if chosen.get("employee"):
            found["conversation__employee"] = chosen["employee"]
        for name in ("channel", "direction"):
            if chosen.get(name):
                found[name] = chosen[name]
        if chosen.get("first_day"):
            found["occurred_at__gte"] = midnight(chosen["first_day"])
        if chosen.get("last_day"):
            found["occurred_at__lt"] = midnight(chosen["last_day"] + timedelta(days=1))
        return found

    def texts(self) -> dict[str, str]:
        """Return the filters of a valid form that are set, without the words."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value and name != "q"}
        return {name: str(value) for name, value in chosen.items()}

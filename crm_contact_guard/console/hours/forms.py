"""Forms for the entries of a calendar. The service checks the values, so that the API and the pages agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.dates import WEEKDAYS as NAMES
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.policy.working_time.case import WEEKDAYS


class EntryForm(forms.Form):
    """Base class of the forms, which send texts as they were typed."""

    kind: str = ""
    title: Any = ""
    hint: Any = ""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"cg-{self.kind}-%s")
        self.label_suffix = ""
        self.use_required_attribute = False
        for field in self.fields.values():
            field.required = False
            field.widget.attrs |= {"class": "cg-input", "autocomplete": "off"}


def _day(label: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs={"type": "date"}))


def _time(label: Any, kind: str = "time") -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs={"type": kind}))


class RosterForm(EntryForm):
    """A roster: the hours of each weekday in a period."""

    kind = "roster"
    title = _("Add a roster…")
    hint = _("It replaces the weekly hours, holidays and closed dates of its days. Leave a weekday empty if it is off.")
    first, last = _day(_("First day")), _day(_("Last day"))

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        for number, name in enumerate(WEEKDAYS):
            attrs = {"class": "cg-input", "placeholder": "09:00-18:00", "autocomplete": "off"}
            widget = forms.TextInput(attrs=attrs)
            self.fields[name] = forms.CharField(label=NAMES[number], required=False, max_length=500, widget=widget)


class LeaveForm(EntryForm):
    """Leave for whole days."""

    kind = "leave"
    title = _("Add leave…")
    hint = ""
    first, last = _day(_("First day")), _day(_("Last day"))


class LeavePartForm(EntryForm):
    """Leave for a part of a day."""

    kind = "leave_parts"
    title = _("Add leave for part of a day…")
    hint = ""
    first, start, end = _day(_("Day")), _time(_("From")), _time(_("Until"))


class OnCallForm(EntryForm):
    """On-call duty."""

    kind = "on_call"
    title = _("Add on-call duty…")
    hint = _("Messages sent on call aren't after hours.")
    start, end = _time(_("From"), "datetime-local"), _time(_("Until"), "datetime-local")


class OpenForm(EntryForm):
    """A day on which weekly hours apply although it is a holiday."""

    kind = "open"
    title = _("Add an open date…")
    hint = _("The weekly hours apply, even on a public holiday.")
    first = _day(_("Day"))


class ClosedForm(EntryForm):
    """A day without work."""

    kind = "closed"
    title = _("Add a closed date…")
    hint = ""
    first = _day(_("Day"))


FORMS: Final[tuple[type[EntryForm], ...]] = (
    RosterForm,
    LeaveForm,
    LeavePartForm,
    OnCallForm,
    OpenForm,
    ClosedForm,
)

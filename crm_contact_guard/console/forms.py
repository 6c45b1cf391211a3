"""All forms except the composer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.record.models import MessageKind

_LOCAL = "%Y-%m-%dT%H:%M"


def _now() -> str:
    return timezone.localtime().strftime(_LOCAL)


class NoteForm(forms.Form):
    """A note about a phone call or a meeting. Times are in the time zone of the employee who writes the note."""

    prefix = "note"

    kind = forms.ChoiceField(
        label=_("What it was"),
        choices=[
            (MessageKind.CALL.value, MessageKind.CALL.label),
            (MessageKind.MEETING.value, MessageKind.MEETING.label),
        ],
        widget=forms.RadioSelect,
        initial=MessageKind.CALL.value,
    )
    occurred_at = forms.DateTimeField(
        label=_("When"),
        initial=_now,
        input_formats=[_LOCAL, f"{_LOCAL}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
    )
    minutes = forms.IntegerField(label=_("Minutes"), required=False, min_value=0, max_value=1440)
    place = forms.CharField(label=_("Place"), required=False, max_length=200)
    text = forms.CharField(label=_("What was said"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 4}))
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Use our own styles instead of relying on the host's form renderer.
        self.label_suffix = ""
        for name in ("occurred_at", "minutes", "place", "text", "next_step"):
            self.fields[name].widget.attrs["class"] = "cg-input"

    def details(self) -> dict[str, Any]:
        """Return the details recorded in addition to the text, without the fields that were left empty."""
        given = {name: self.cleaned_data.get(name) for name in ("minutes", "place", "next_step")}
        return {name: value for name, value in given.items() if value not in (None, "")}


class _Reasoned(forms.Form):
    """Base class of forms for actions that require a reason, which is recorded."""

    reason = forms.CharField(label=_("Reason, for the record"), max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, field in self.fields.items():
            field.widget.attrs["autocomplete"] = "off"
            if name != "confirm":
                field.widget.attrs["class"] = "cg-input"


class EraseForm(_Reasoned):
    """An erasure, which requires a reason and a ticked confirmation."""

    confirm = forms.BooleanField(
        label=_("I know that this can't be undone"),
        error_messages={"required": _("Tick that it is meant: it can't be undone.")},
    )


class HoldForm(_Reasoned):
    """A legal hold on all data stored about a customer."""

    name = forms.CharField(label=_("Name of the hold"), max_length=200)

    field_order = ("name", "reason")


class ReleaseForm(_Reasoned):
    """The release of a legal hold."""

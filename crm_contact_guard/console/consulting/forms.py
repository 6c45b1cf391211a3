"""The forms of a consultation."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.supervision.consulting.consultations import MAX_WORDS
from crm_contact_guard.supervision.consulting.models import Consultation


class _Form(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Use our own styles instead of relying on the host's form renderer.
        self.label_suffix = ""
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect | forms.CheckboxInput):
                field.widget.attrs["class"] = "cg-input"


def _text(label: Any, rows: int, *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=MAX_WORDS, required=required, widget=forms.Textarea(attrs={"rows": rows})
    )


class OpenForm(_Form):
    """What the employee would like. Everything has a default, so that it can be sent as it is."""

    wish = forms.ChoiceField(
        label=_("What would help you?"),
        choices=Consultation.Wish.choices,
        widget=forms.RadioSelect,
        initial=Consultation.Wish.ADVICE.value,
    )
    words = _text(_("What happened, in your own words (you may leave this empty)"), 4)
    to_compliance = forms.BooleanField(label=_("To compliance rather than to my supervisor"), required=False)


class ReplyForm(_Form):
    """A reply. ``follow_up_on`` is shown only to those who help."""

    text = _text(_("Your words"), 3)
    follow_up_on = forms.DateField(
        label=_("Look at it again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def follow_up_at(self) -> datetime | None:
        """Return the beginning of the chosen day in the reader's time zone; None if none was chosen."""
        day = self.cleaned_data["follow_up_on"]
        return timezone.make_aware(datetime.combine(day, time())) if day is not None else None


class CloseForm(_Form):
    """How the consultation ended."""

    result = forms.ChoiceField(label=_("How it ended"), choices=Consultation.Result.choices, widget=forms.RadioSelect)
    text = _text(_("A few words to close"), 2)

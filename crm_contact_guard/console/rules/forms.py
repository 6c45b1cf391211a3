"""Forms for publishing rules, and for questions about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.times import midnight
from crm_contact_guard.policy.known_rules.publishing import MOST_QUIZ, MOST_TEXT, MOST_TITLE
from crm_contact_guard.policy.known_rules.questions import MOST


def _long(label: Any, most: int, rows: int, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **more)


class _Styled(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            field.widget.attrs["class"] = "cg-input"


class PublishForm(_Styled):
    """A new version of the rules."""

    title = forms.CharField(label=_("Title (English)"), max_length=MOST_TITLE, required=False)
    text = _long(_("Text (English)"), MOST_TEXT, 12, required=False)
    title_ja = forms.CharField(label=_("Title (Japanese)"), max_length=MOST_TITLE, required=False)
    text_ja = _long(_("Text (Japanese)"), MOST_TEXT, 12, required=False)
    quiz = _long(_("Questions to check that it was understood (optional)"), MOST_QUIZ, 6, required=False)
    valid_from = forms.DateField(
        label=_("Applies from (empty: now)"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean_valid_from(self) -> datetime | None:
        """Return the start of the day in the author's time zone; None for today, which means now."""
        day = self.cleaned_data["valid_from"]
        if day is None or day == timezone.localdate():
            return None
        return midnight(day)


class AskForm(_Styled):
    question = _long(_("Your question"), MOST, 3)


class AnswerForm(_Styled):
    answer = _long(_("Answer"), MOST, 3)

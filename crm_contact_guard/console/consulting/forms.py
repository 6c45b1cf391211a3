"""The forms of a consultation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.times import midnight
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import MAX_REASON
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.recording import MAX_WORDS


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
        return _start(self.cleaned_data["follow_up_on"])


class CloseForm(_Form):
    """How the consultation ended."""

    result = forms.ChoiceField(label=_("How it ended"), choices=Consultation.Result.choices, widget=forms.RadioSelect)
    text = _text(_("A few words to close"), 2)


def _reason() -> forms.CharField:
    return forms.CharField(label=_("Reason, for the record"), max_length=MAX_REASON)


class HandoverForm(_Form):
    """Who takes over: a colleague or a team."""

    to = forms.ChoiceField(label=_("To whom"))
    reason = _reason()

    def __init__(self, *args: Any, people: Sequence[Employee] = (), teams: Sequence[Team] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = {f"e-{person.pk}": person for person in people} | {f"t-{team.pk}": team for team in teams}
        names = [(key, row.name) for key, row in self.chosen.items()]
        field = self.fields["to"]
        field.choices = [("", "—"), *names]  # type: ignore[attr-defined]

    def recipient(self) -> dict[str, Any]:
        """Return the chosen colleague or team, as arguments of the service."""
        row = self.chosen[self.cleaned_data["to"]]
        return {"employee": row} if isinstance(row, Employee) else {"team": row}


class RestrictForm(_Form):
    """A limit on the customer's contact. Days end at midnight in the reader's time zone."""

    kind = forms.ChoiceField(
        label=_("Which limit"), choices=Restriction.Kind.choices, widget=forms.RadioSelect, initial="hide_name"
    )
    per_day = forms.IntegerField(label=_("Messages a day (if some disturb)"), required=False, min_value=1)
    channel = forms.ChoiceField(label=_("Channel (if one only)"), required=False)
    ends_on = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    review_on = forms.DateField(
        label=_("Review on (empty: half-way)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reason = _reason()

    def __init__(self, *args: Any, channels: Sequence[tuple[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = [("", "—"), *channels]  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """Return the limit as arguments of the service."""
        given = dict(self.cleaned_data)
        given["ends_at"], given["review_at"] = _start(given.pop("ends_on")), _start(given.pop("review_on"))
        return given


class LiftForm(_Form):
    """The end of a limit before its time."""

    restriction = forms.UUIDField(widget=forms.HiddenInput)
    reason = _reason()


class OutsideForm(_Form):
    """The company turns to the police or a lawyer."""

    step = forms.ChoiceField(
        label=_("To whom"),
        choices=[("police_referral", _("Police")), ("legal_referral", _("Lawyer"))],
        widget=forms.RadioSelect,
    )
    reason = _reason()


def _start(day: date | None) -> datetime | None:
    return midnight(day) if day is not None else None

"""What a consultation's page shows about measures: those in force, and the forms for new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from crm_contact_guard.channels import registry
from crm_contact_guard.console.consulting.forms import HandoverForm, LiftForm, OutsideForm, RestrictForm
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.presets import wordings
from crm_contact_guard.policy.protection import contact
from crm_contact_guard.supervision.consulting import measures
from crm_contact_guard.supervision.consulting.models import Consultation


@dataclass(frozen=True)
class Standing:
    """A limit that applies now, with the form to end it."""

    restriction: Restriction
    channel: Any
    form: LiftForm


@dataclass(frozen=True)
class Measures:
    """What can be done. ``handover``, ``restrict`` and ``outside`` are None for those who may not."""

    standing: Sequence[Standing]
    #: Sentences in the customer's language with which the employee can decline.
    refusals: Sequence[str]
    language: str
    police: str
    lawyer: str
    may_lift: bool = False
    handover: HandoverForm | None = None
    restrict: RestrictForm | None = None
    outside: OutsideForm | None = None


def measures_for(viewer: Employee, row: Consultation, filled: Mapping[str, forms.Form] | None = None) -> Measures:
    """Return the measures for the viewer. ``filled``: forms with input that was rejected, by name."""
    filled, may = filled or {}, measures.may_measure(viewer, row)
    language = row.conversation.customer.language
    made: dict[str, Any] = {}
    if may:
        made = {name: filled.get(name) or FORMS[name](row, None) for name in ("handover", "restrict", "outside")}
    lift = filled.get("lift")
    return Measures(
        standing=[
            Standing(
                one,
                registry.channel(one.channel).verbose_name if one.channel in registry.aliases() else one.channel,
                lift
                if isinstance(lift, LiftForm) and lift.data.get("restriction") == str(one.pk)
                else LiftForm(initial={"restriction": one.pk}),
            )
            for one in measures.restrictions(row)
        ],
        refusals=wordings(language, "decline"),
        language=language,
        police=contact("POLICE"),
        lawyer=contact("LAWYER"),
        may_lift=may,
        **made,
    )


def _handover_form(row: Consultation, data: Any) -> HandoverForm:
    return HandoverForm(data, people=list(measures.colleagues(row)), teams=list(measures.teams(row)))


def _restrict_form(row: Consultation, data: Any) -> RestrictForm:
    channels = [(alias, registry.channel(alias).verbose_name) for alias in registry.aliases()]
    return RestrictForm(data, channels=channels)


FORMS: dict[str, Callable[[Consultation, Any], Any]] = {
    "handover": _handover_form,
    "restrict": _restrict_form,
    "outside": lambda _row, data: OutsideForm(data),
    "lift": lambda _row, data: LiftForm(data),
}

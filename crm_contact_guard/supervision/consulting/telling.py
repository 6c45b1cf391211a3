"""Notices about consultations. They name nobody and contain nothing of what was written, only a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.rights import consultations

CONSULTATION: Final = "consultation"


def step_tell(row: Consultation, person: Employee | None, step: Event) -> None:
    """Tell a person about a recorded step, in its transaction."""
    if person is not None:
        tell(topic=CONSULTATION, subject=("consultation_step", step.pk), people=[person], conversation=row.conversation)


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:  # Teams aren't told.
        return {}
    steps = list(Event.objects.filter(pk__in=ids, subject_type="consultation"))
    rows = {str(row.pk): row for row in consultations(person).filter(pk__in={step.subject_id for step in steps})}
    return {
        str(step.pk): _line(person, rows[step.subject_id], step)
        for step in steps
        if step.subject_id in rows and _matters(rows[step.subject_id], step)
    }


def _matters(row: Consultation, step: Event) -> bool:
    return row.status != Consultation.Status.CLOSED or step.kind == "consultation.closed"


def _line(person: Employee, row: Consultation, step: Event) -> Line:
    text, asks = _words(step.kind, own=person.pk == row.employee_id)
    path = reverse("crm_contact_guard:consultation", args=[row.pk])
    return Line(text=text, path=path, since=step.recorded_at, asks=asks)


def _words(kind: str, *, own: bool) -> tuple[str, str]:
    if kind == "consultation.opened" and own:
        return _("We saw what a customer wrote to you"), _(
            "We saw what a customer wrote to you. Your supervisor knows, and you needn't answer this mail or do"
            " anything. If you would like to add something, or have something done, you can here:"
        )
    if kind == "consultation.opened":
        return _("A colleague asks for your help"), _(
            "A colleague is having a hard time with a customer. Please have a look soon, and answer here:"
        )
    if kind == "consultation.follow_up_due":
        return _("A consultation is due for another look"), _("You wanted to look at this consultation again today:")
    asks = (
        _("There is news about your consultation:")
        if own
        else _("There is news in a consultation that you look after:")
    )
    return _("News in a consultation"), asks


topics.register(
    topics.Topic(
        name=CONSULTATION,
        label=gettext_lazy("A consultation"),
        many=gettext_lazy("Consultations"),
        lines=_lines,
        cadence=Cadence.AT_ONCE,
        may_be_off=False,
        is_duty=True,
        roles=topics.STAFF,
    )
)

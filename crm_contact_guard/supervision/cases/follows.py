"""Declares how the columns of cases follow from recorded events."""

from __future__ import annotations

from typing import Final

from django.db.models import Model

from crm_contact_guard.record.following import BySubject, Column, Elsewhere, Follows, Recorded, follows
from crm_contact_guard.supervision.cases import telling  # noqa: F401 - registers the topics of notices
from crm_contact_guard.supervision.cases.models import (
    Case,
    CaseEntry,
    CaseEvidence,
    CaseLetter,
    CaseParticipant,
    CaseTask,
)
from crm_contact_guard.supervision.cases.transitions import ACTIONS

_KEY: Final = Elsewhere("the events that made the row name it")
_PERSONAL: Final[dict[type[Model], set[str]]] = {
    Case: {"allegation", "reason", "terms"},
    CaseEntry: {"text"},
    CaseTask: {"title"},
    CaseLetter: {"text"},
}


def _columns(model: type[Model]) -> dict[str, Column]:
    personal = _PERSONAL.get(model, set())
    names = [field.attname for field in model._meta.concrete_fields]
    return {name: _KEY if name == "id" else Recorded(personal=name in personal) for name in names}


for _model, _events in {
    Case: BySubject(
        subject="case", born=("case.opened",), more=tuple(f"case.{action}" for action in ACTIONS), is_new=True
    ),
    CaseParticipant: BySubject(
        subject="case_participant",
        born=("case_participant.added",),
        gone=("case_participant.removed",),
        is_new=True,
    ),
    CaseEvidence: BySubject(subject="case_evidence", born=("case_evidence.added",), is_new=True),
    CaseEntry: BySubject(subject="case_entry", born=("case_entry.added",), is_new=True),
    CaseTask: BySubject(
        subject="case_task",
        born=("case_task.added",),
        more=("case_task.done", "case_task.reminded"),
        is_new=True,
    ),
    CaseLetter: BySubject(subject="case_letter", born=("case_letter.issued",), is_new=True),
}.items():
    follows(Follows(model=_model, columns=_columns(_model), events=_events))

"""Notices about cases: letters, to the employee concerned, and tasks whose date has come, to their assignee."""

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
from crm_contact_guard.supervision.cases.models import Case, CaseLetter, CaseTask, State
from crm_contact_guard.supervision.cases.rights import cases

LETTER: Final = "case_letter"
TASK: Final = "case_task"
CLOSED: Final = "case_closed"


def letter_tell(letter: CaseLetter) -> None:
    """Tell the employee concerned about a letter."""
    if letter.case.concerned is not None:
        tell(topic=LETTER, subject=(LETTER, letter.pk), people=[letter.case.concerned])


def task_tell(task: CaseTask) -> None:
    """Tell the assignee that a task is due."""
    tell(topic=TASK, subject=(TASK, task.pk), people=[task.assignee])


def closed_tell(case: Case) -> None:
    """Tell other systems that a case was closed."""
    tell(topic=CLOSED, subject=("case", case.pk), people=[], team=case.team)


def _closed(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is not None:
        return {}
    return {
        str(case.pk): Line(
            text=_("A case was closed"),
            path=reverse("crm_contact_guard:case", args=[case.pk]),
            since=case.closed_at or case.opened_at,
        )
        for case in Case.objects.filter(pk__in=ids)
    }


def _letters(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    found = CaseLetter.objects.filter(pk__in=ids, case__in=cases(person).values("pk"), case__concerned=person)
    return {
        str(letter.pk): Line(
            text=_("You have a letter: %(letter)s") % {"letter": letter.get_kind_display()},
            path=reverse("crm_contact_guard:case_letter", args=[letter.case_id, letter.pk]),
            since=letter.created_at,
        )
        for letter in found
    }


def _tasks(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    found = CaseTask.objects.filter(pk__in=ids, assignee=person, done_at=None, case__in=cases(person).values("pk"))
    return {
        str(task.pk): Line(
            text=_("A task in a case is due"),
            path=reverse("crm_contact_guard:case", args=[task.case_id]),
            since=task.due_at,
        )
        for task in found.exclude(case__state=State.CLOSED)
    }


topics.register_event(CLOSED, "case.closed", gettext_lazy("A case was closed"), _closed)
topics.register(
    topics.Topic(
        name=LETTER,
        label=gettext_lazy("A letter to you"),
        many=gettext_lazy("Letters to you"),
        lines=_letters,
        cadence=Cadence.AT_ONCE,
        may_be_off=False,
        roles=topics.STAFF,
    ),
    topics.Topic(
        name=TASK,
        label=gettext_lazy("A task in a case"),
        many=gettext_lazy("Tasks in cases"),
        lines=_tasks,
        roles=topics.STAFF,
    ),
)

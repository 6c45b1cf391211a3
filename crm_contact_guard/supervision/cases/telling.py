"""Notices about cases.

They tell the employee concerned about letters, assignees about tasks whose date has come, and those who may decide
about outcomes that need a second person and about objections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.notices import listing, topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.supervision.cases.models import Case, CaseLetter, CaseTask, Part, State
from crm_contact_guard.supervision.cases.rights import cases

LETTER: Final = "case_letter"
TASK: Final = "case_task"
CLOSED: Final = "case_closed"
APPROVAL: Final = "case_approval"
APPEAL: Final = "case_appeal"
#: Who may decide on an outcome.
_DECIDING: Final = frozenset({Role.SUPERVISOR, Role.COMPLIANCE})


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


def approval_tell(case: Case) -> None:
    """Tell those who may approve the outcome that has just been proposed."""
    people = [one for one in _deciding(case) if one.pk != case.proposed_by_id]
    tell(topic=APPROVAL, subject=_proposal(case), people=people)


def approval_settled(case: Case) -> None:
    """The proposal, of which ``case`` is the state before the step, was decided on."""
    listing.settled(*_proposal(case))


def appeal_tell(case: Case) -> None:
    """Tell those who may answer the employee's objection."""
    people = [one for one in _deciding(case) if one.pk not in (case.proposed_by_id, case.approved_by_id)]
    tell(topic=APPEAL, subject=(APPEAL, case.pk), people=people)


def appeal_settled(case: Case) -> None:
    """The objection was answered."""
    listing.settled(APPEAL, case.pk)


def _proposal(case: Case) -> tuple[str, str]:
    # A proposal can be sent back, and the next one is another subject.
    return APPROVAL, f"{case.pk}.{case.updated_at.timestamp():.6f}"


def _deciding(case: Case) -> list[Employee]:
    parts = case.participants.filter(part__in=(Part.LEAD, Part.APPROVER)).select_related("employee")
    people = [one.employee for one in parts]
    return [one for one in people if one.active and one.role in _DECIDING]


def _approvals(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    found = _waiting(person, {key: key.partition(".")[0] for key in ids}, State.PROPOSED)
    return {
        key: Line(
            text=_("An outcome in a case waits for a second person's approval"),
            path=reverse("crm_contact_guard:case", args=[case.pk]),
            since=case.updated_at,
        )
        for key, case in found.items()
        if person is not None and case.proposed_by_id != person.pk
    }


def _appeals(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    found = _waiting(person, {key: key for key in ids}, State.APPEALED)
    return {
        key: Line(
            text=_("An employee objects to the outcome of a case"),
            path=reverse("crm_contact_guard:case", args=[case.pk]),
            since=case.appealed_at or case.updated_at,
        )
        for key, case in found.items()
    }


def _waiting(person: Employee | None, ids: Mapping[str, str], state: State) -> dict[str, Case]:
    if person is None:
        return {}
    rows = cases(person).filter(pk__in=set(ids.values()), state=state).exclude(concerned=person)
    found = {str(case.pk): case for case in rows}
    return {key: found[case] for key, case in ids.items() if case in found}


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
    topics.Topic(
        name=APPROVAL,
        label=gettext_lazy("An outcome that needs your approval"),
        many=gettext_lazy("Outcomes that need your approval"),
        lines=_approvals,
        cadence=Cadence.AT_ONCE,
        roles=_DECIDING,
    ),
    topics.Topic(
        name=APPEAL,
        label=gettext_lazy("An objection in a case"),
        many=gettext_lazy("Objections in cases"),
        lines=_appeals,
        cadence=Cadence.AT_ONCE,
        roles=_DECIDING,
    ),
)

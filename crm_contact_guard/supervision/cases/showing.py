"""What each part sees of a case. The concerned employee doesn't see notes, interviews or what is being prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.cases import pay_terms, transitions
from crm_contact_guard.supervision.cases.models import (
    Case,
    CaseEntry,
    CaseEvidence,
    CaseLetter,
    CaseParticipant,
    CaseTask,
    Part,
    Sort,
    State,
)
from crm_contact_guard.supervision.cases.outcomes import APPROVED, DISCIPLINE
from crm_contact_guard.supervision.cases.rights import part_of

#: What the concerned employee reads of what was written.
_TOLD_ENTRIES: Final = (
    CaseEntry.Kind.HEARING,
    CaseEntry.Kind.STATEMENT,
    CaseEntry.Kind.APPEAL,
    CaseEntry.Kind.ANSWER,
)
#: The steps of which the concerned employee knows.
_TOLD_STEPS: Final = tuple(f"case.{step}" for step in ("tell", "hear", "decide", "appeal", "uphold", "revise", "close"))
_PREPARING: Final = (State.PROPOSED, State.APPROVED)


@dataclass(frozen=True)
class View:
    """A case as one person sees it."""

    case: Case
    part: Part
    state: State
    outcome: str
    reason: str
    terms: Mapping[str, Any]
    actions: Sequence[str]

    @property
    def is_own(self) -> bool:
        """Whether the viewer is the concerned employee."""
        return self.part == Part.CONCERNED

    @property
    def state_label(self) -> str:
        return str(self.state.label)

    @property
    def sort_label(self) -> str:
        return str(Sort(self.case.sort).label)

    def entries(self) -> list[CaseEntry]:
        rows = self.case.entries.select_related("author").order_by("created_at", "pk")
        return list(rows.filter(kind__in=_TOLD_ENTRIES) if self.is_own else rows)

    def evidence(self) -> list[CaseEvidence]:
        rows = self.case.evidence.select_related(
            "alert__conversation__customer", "alert__concerned", "alert__at_message", "conversation__customer"
        )
        return list(rows.order_by("added_at", "pk"))

    def letters(self) -> list[CaseLetter]:
        return list(self.case.letters.order_by("created_at", "pk"))

    def participants(self) -> list[CaseParticipant]:
        return list(self.case.participants.select_related("employee").order_by("added_at", "pk"))

    def tasks(self) -> list[CaseTask]:
        """Return the tasks, those that are not done first; the employee sees none."""
        rows = self.case.tasks.select_related("assignee").order_by("due_at", "pk")
        return [] if self.is_own else sorted(rows, key=lambda task: task.done_at is not None)

    def history(self) -> list[Event]:
        """Return the recorded steps that the viewer may know, oldest first."""
        rows = Event.objects.filter(subject_type="case", subject_id=str(self.case.pk), kind__startswith="case.")
        if self.is_own:
            known = Q(kind__in=_TOLD_STEPS) | (Q(kind="case.drop") if self.state == State.CLOSED else Q())
            rows = rows.filter(known)
        return list(rows.order_by("recorded_at", "id"))


def view_of(viewer: Employee, case: Case) -> View:
    """Return the case as the viewer sees it. The caller must have checked that the viewer may see it."""
    part = part_of(viewer, case)
    state, is_own = State(case.state), part == Part.CONCERNED
    hidden = is_own and state in _PREPARING
    if hidden:
        state = State.HEARING if case.sort == Sort.CONDUCT else State.INVESTIGATING
    return View(
        case=case,
        part=part,
        state=state,
        outcome="" if hidden else case.outcome,
        reason="" if hidden else case.reason,
        terms={} if hidden else pay_terms.shown(case),
        actions=[
            action for action in transitions.possible(part, case.sort, case.state) if _sensible(action, case, viewer)
        ],
    )


def _sensible(action: str, case: Case, viewer: Employee) -> bool:
    """Whether an action that the table permits isn't refused for a reason that is known beforehand."""
    now, plain = timezone.now(), viewer.role == Role.EMPLOYEE
    may_object = case.answered_at is None and case.appeal_until is not None and now <= case.appeal_until
    match action:
        case "hear":
            return case.told_at is not None
        case "tell":
            return case.concerned_id is not None
        case "approve":
            return not plain and case.proposed_by_id != viewer.pk and case.outcome in APPROVED
        case "decide":
            return case.outcome not in APPROVED or case.state == State.APPROVED
        case "appeal":
            return may_object
        case "uphold" | "revise":
            return not plain and viewer.pk not in (case.proposed_by_id, case.approved_by_id)
        case "close":
            return not (may_object and (case.outcome in DISCIPLINE or case.outcome in APPROVED))
    return True

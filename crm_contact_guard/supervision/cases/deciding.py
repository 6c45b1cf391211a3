"""Outcomes: proposed by one person, approved by another where the outcome is severe, decided and told, then closed.

Only people decide. Nothing here proposes an outcome by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.hosting import database
from crm_contact_guard.supervision.cases import acts
from crm_contact_guard.supervision.cases.letters import issue
from crm_contact_guard.supervision.cases.models import Case, CaseEntry, CaseLetter, Part, Sort, State
from crm_contact_guard.supervision.cases.opening import release_evidence
from crm_contact_guard.supervision.cases.outcomes import APPROVED, DISCIPLINE, Outcome, harsher
from crm_contact_guard.supervision.cases.pay_terms import planned
from crm_contact_guard.supervision.cases.steps import move, not_now, take, written
from crm_contact_guard.supervision.cases.telling import (
    appeal_settled,
    appeal_tell,
    approval_settled,
    approval_tell,
    closed_tell,
)
from crm_contact_guard.supervision.cases.working import write


@database.atomic()
def outcome_propose(
    *, case_id: UUID, actor: Employee, outcome: str, reason: str, terms: Mapping[str, Any] | None = None
) -> None:
    """Propose an outcome with its reason. ``terms``: the figures of a pay cut, as in ``pay_terms``.

    Raise NotPermitted, NotPossible, and InvalidMessage if labour law or the work rules don't permit the outcome.
    """
    acts.lock_of(case_id)
    case, row = take(case_id, actor, "propose")
    version = acts.check(case, outcome)
    move(
        case,
        row,
        actor,
        outcome=outcome,
        reason=written(reason, "reason"),
        terms=planned(case, outcome, terms),
        rules=version,
        proposed_by=actor,
        approved_by=None,
    )
    if case.outcome in APPROVED:
        approval_tell(case)


@database.atomic()
def outcome_approve(*, case_id: UUID, actor: Employee) -> None:
    """Approve the proposed outcome. Raise NotPermitted for the proposer and for plain employees, and NotPossible."""
    acts.lock_of(case_id)
    case, row = take(case_id, actor, "approve")
    if case.proposed_by_id == actor.pk or actor.role not in (Role.SUPERVISOR, Role.COMPLIANCE):
        raise NotPermitted(_("A supervisor or compliance officer other than the one who proposed it must approve."))
    acts.check(case, case.outcome)
    approval_settled(case)
    move(case, row, actor, approved_by=actor)


@database.atomic()
def outcome_send_back(*, case_id: UUID, actor: Employee, reason: str) -> None:
    """Withdraw a proposal, with a reason. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, row = take(case_id, actor, "send_back")
    approval_settled(case)
    move(case, row, actor, why=written(reason, "reason", most=4000), **_NO_OUTCOME)


_NO_OUTCOME: dict[str, Any] = {
    "outcome": "",
    "reason": "",
    "terms": "",
    "rules": "",
    "proposed_by": None,
    "approved_by": None,
}


@database.atomic()
def outcome_decide(*, case_id: UUID, actor: Employee) -> CaseLetter | None:
    """Decide the outcome and tell the employee by letter. Return the letter; None if there is nobody to write to.

    Raise NotPermitted, NotPossible if the outcome still needs approval, and InvalidMessage if it is no longer possible.
    """
    acts.lock_of(case_id)
    case, row = take(case_id, actor, "decide")
    if case.outcome in APPROVED and case.state != State.APPROVED:
        raise NotPossible(_("A second person must approve this outcome first."))
    acts.check(case, case.outcome)
    now = timezone.now()
    appealable = case.sort == Sort.CONDUCT and case.outcome != Outcome.NO_ACTION
    until = now + timedelta(days=int(settings.APPEAL_DAYS)) if appealable else None
    told = now if case.told_at is None and case.concerned_id is not None else case.told_at
    move(case, row, actor, decided_by=actor, decided_at=now, appeal_until=until, told_at=told)
    if case.concerned_id is None:
        return None
    return issue(case, actor, CaseLetter.Kind.PROTECTION if case.sort == Sort.PROTECTION else CaseLetter.Kind.DECISION)


@database.atomic()
def appeal_make(*, case_id: UUID, actor: Employee, text: str) -> None:
    """Object to the outcome. Raise NotPermitted, InvalidMessage, and NotPossible after the time limit or an answer."""
    case, row = take(case_id, actor, "appeal")
    if case.answered_at is not None or case.appeal_until is None:
        raise not_now(case, Part.CONCERNED)
    if timezone.now() > case.appeal_until:
        raise NotPossible(_("The time to object is over."))
    write(case, actor, CaseEntry.Kind.APPEAL, text)
    move(case, row, actor, appealed_at=timezone.now())
    appeal_tell(case)


@database.atomic()
def appeal_answer(
    *,
    case_id: UUID,
    actor: Employee,
    text: str,
    outcome: str = "",
    terms: Mapping[str, Any] | None = None,
) -> CaseLetter:
    """Answer an objection: keep the outcome, or replace it by a milder ``outcome``.

    Raise NotPermitted for those who proposed or approved the outcome, NotPossible, and InvalidMessage.
    """
    acts.lock_of(case_id)
    case, row = take(case_id, actor, "revise" if outcome else "uphold")
    if actor.pk in (case.proposed_by_id, case.approved_by_id) or actor.role == Role.EMPLOYEE:
        raise NotPermitted(_("Somebody who neither proposed nor approved the outcome must answer."))
    columns: dict[str, Any] = {}
    if outcome:
        version = acts.check(case, outcome)
        if outcome == case.outcome or harsher(outcome, case.outcome):
            raise InvalidMessage(_("An objection can only lead to a milder outcome."), field="outcome")
        columns = {"outcome": outcome, "rules": version, "terms": planned(case, outcome, terms)}
    write(case, actor, CaseEntry.Kind.ANSWER, text)
    move(case, row, actor, answered_at=timezone.now(), **columns)
    appeal_settled(case)
    return issue(case, actor, CaseLetter.Kind.ANSWER)


@database.atomic()
def case_close(*, case_id: UUID, actor: Employee) -> None:
    """Close a decided case. Raise NotPermitted, and NotPossible as long as the employee may object."""
    case, row = take(case_id, actor, "close")
    if _may_still_object(case):
        raise NotPossible(_("The employee can still object. Close the case afterwards."))
    move(case, row, actor, closed_at=timezone.now())
    release_evidence(case)
    closed_tell(case)


@database.atomic()
def case_drop(*, case_id: UUID, actor: Employee, reason: str) -> None:
    """Close a case without action, with a reason. Raise NotPermitted, NotPossible or InvalidMessage."""
    case, row = take(case_id, actor, "drop")
    now = timezone.now()
    why = written(reason, "reason")
    move(case, row, actor, outcome=Outcome.NO_ACTION, reason=why, decided_by=actor, decided_at=now, closed_at=now)
    release_evidence(case)
    closed_tell(case)


def _may_still_object(case: Case) -> bool:
    severe = case.outcome in DISCIPLINE or case.outcome in APPROVED
    open_until = case.appeal_until is not None and timezone.now() <= case.appeal_until
    return severe and open_until and case.answered_at is None

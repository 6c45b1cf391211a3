"""Measures taken from a consultation. Each is recorded where it takes effect and in the consultation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import (
    checked_reason,
    conversation_reassign,
    may_restrict,
    restriction_impose,
    restriction_lift,
)
from crm_contact_guard.conversations.restrictions.standing import of_customer
from crm_contact_guard.directory.models import Employee, Role, Team
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.hosting import database
from crm_contact_guard.supervision.consulting.consultations import consultation_step
from crm_contact_guard.supervision.consulting.models import Consultation

#: Next steps outside the company.
OUTSIDE = ("police_referral", "legal_referral")


@database.atomic()
def customer_hand_over(
    *,
    consultation: Consultation,
    actor: Employee,
    reason: str,
    employee: Employee | None = None,
    team: Team | None = None,
) -> None:
    """Hand the consultation's conversation to a colleague or a team. Raise NotPermitted or InvalidMessage."""
    conversation_reassign(
        conversation=consultation.conversation, reassigned_by=actor, reason=reason, employee=employee, team=team
    )
    to = {"employee": str(employee.pk)} if employee is not None else {"team": str(team.pk) if team else None}
    consultation_step(consultation, taken_by=actor, step="handover", data=to, reason=checked_reason(reason))


@database.atomic()
def customer_restrict(
    *,
    consultation: Consultation,
    actor: Employee,
    kind: str,
    reason: str,
    ends_at: datetime,
    review_at: datetime | None = None,
    per_day: int | None = None,
    channel: str = "",
) -> Restriction:
    """Limit the contact of the consultation's customer. Raise NotPermitted or InvalidMessage."""
    row = restriction_impose(
        conversation=consultation.conversation,
        imposed_by=actor,
        kind=kind,
        reason=reason,
        ends_at=ends_at,
        review_at=review_at,
        per_day=per_day,
        channel=channel,
    )
    data = {"restriction": str(row.pk), "ends_at": row.ends_at.isoformat()}
    consultation_step(consultation, taken_by=actor, step=row.kind, data=data, reason=checked_reason(reason))
    return row


@database.atomic()
def customer_release(*, consultation: Consultation, actor: Employee, restriction_id: UUID, reason: str) -> None:
    """End a restriction of the consultation's customer. Raise NotPermitted or InvalidMessage."""
    if restriction_id not in [row.pk for row in restrictions(consultation)]:
        raise InvalidMessage(_("This limit has ended."), field="restriction")
    restriction_lift(restriction_id=restriction_id, lifted_by=actor, reason=reason)
    data = {"restriction": str(restriction_id)}
    consultation_step(consultation, taken_by=actor, step="lifted", data=data, reason=checked_reason(reason))


@database.atomic()
def outside_help_note(*, consultation: Consultation, actor: Employee, step: str, reason: str) -> None:
    """Record that the company turned to the police or a lawyer. Raise NotPermitted or InvalidMessage."""
    if step not in OUTSIDE:
        raise InvalidMessage(_("Choose the police or a lawyer."), field="step")
    consultation_step(consultation, taken_by=actor, step=step, data={}, reason=checked_reason(reason))


def restrictions(consultation: Consultation) -> list[Restriction]:
    """Return the restrictions of the consultation's customer that apply now."""
    return of_customer(consultation.conversation.customer)


def may_measure(viewer: Employee, consultation: Consultation) -> bool:
    """Whether the viewer may hand the customer over and limit the contact."""
    return consultation.employee_id != viewer.pk and may_restrict(viewer, consultation.conversation)


def colleagues(consultation: Consultation) -> QuerySet[Employee]:
    """Return who could take the conversation over: the team's members and heads, or anybody if there is no team."""
    row = consultation.conversation
    people = Employee.objects.filter(tenant=row.tenant, active=True).exclude(role=Role.AUDITOR)
    if row.team_id is not None:
        heads = Q(supervised_teams=row.team_id) | Q(deputy_teams=row.team_id)
        people = people.filter(Q(teams=row.team_id) | heads)
    if row.employee_id is not None:
        people = people.exclude(pk=row.employee_id)
    return people.distinct().order_by("name", "pk")


def teams(consultation: Consultation) -> QuerySet[Team]:
    """Return the teams that could take the conversation over."""
    return Team.objects.filter(tenant=consultation.tenant)

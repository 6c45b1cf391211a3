"""Who receives an alert: the team's supervisor, the deputy if the alert concerns the supervisor, or else compliance."""

from __future__ import annotations

from crm_contact_guard.directory.models import Employee, Role, Team
from crm_contact_guard.record.models import Conversation


def addressee(conversation: Conversation) -> Employee | None:
    """Return who receives an alert, or None if there is no eligible supervisor, deputy or compliance officer."""
    team = conversation.team or _team_now(conversation)
    for person in (team.supervisor, team.deputy) if team is not None else ():
        if person is not None and person.active and person.pk != conversation.employee_id:
            return person
    officers = Employee.objects.filter(tenant=conversation.tenant, role=Role.COMPLIANCE, active=True)
    return next((officer for officer in officers if officer.pk != conversation.employee_id), None)


def _team_now(conversation: Conversation) -> Team | None:
    """Return the team that a conversation would get if it started today.

    A conversation has no team if it started before the directory contained any.
    """
    employee = conversation.employee
    return (employee.teams.first() if employee is not None else None) or conversation.customer.team

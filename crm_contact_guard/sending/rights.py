"""Who may decide on held messages: the team's supervisor and deputy, and compliance, but never the writer."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched_teams


def holds(viewer: Employee) -> QuerySet[Wait]:
    """Return the held messages that the viewer may see, which never include the viewer's own."""
    rows = Wait.objects.filter(state=Wait.State.HELD, message__tenant=viewer.tenant).exclude(message__employee=viewer)
    if not viewer.active:
        return rows.none()
    if sees_all(viewer):
        return rows
    teams = watched_teams(viewer)
    # A conversation has no team if it started before the directory contained any.
    without = Q(message__conversation__team=None, message__employee__in=Employee.objects.filter(teams__in=teams))
    return rows.filter(Q(message__conversation__team__in=teams) | without)


def may_decide(viewer: Employee, wait: Wait) -> bool:
    """Whether the viewer may approve, return or reject a message, if it is still held. Auditors change nothing."""
    if not viewer.active or viewer.role == Role.AUDITOR or wait.message.employee_id == viewer.pk:
        return False
    if wait.message.tenant != viewer.tenant:
        return False
    if sees_all(viewer):
        return True
    conversation, teams = wait.message.conversation, watched_teams(viewer)
    if conversation.team_id is not None:
        return teams.filter(pk=conversation.team_id).exists()
    return teams.filter(members=wait.message.employee_id).exists()

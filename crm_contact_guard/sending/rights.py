"""Who may decide on held messages: the team's supervisor and deputy, and compliance, but never the writer."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import may_judge, sees_all, watched


def holds(viewer: Employee) -> QuerySet[Wait]:
    """Return the held messages that the viewer may see, which never include the viewer's own."""
    rows = Wait.objects.filter(state=Wait.State.HELD, message__tenant=viewer.tenant).exclude(message__employee=viewer)
    if not viewer.active:
        return rows.none()
    if sees_all(viewer):
        return rows
    writer = "message__employee"
    mine = watched(viewer, team="message__conversation__team", concerned=writer)
    # A conversation has no team if it started before the directory contained any.
    members = Employee.objects.filter(watched(viewer, team="teams", concerned="pk"))
    return rows.filter(mine | Q(message__conversation__team=None, message__employee__in=members))


def may_decide(viewer: Employee, wait: Wait) -> bool:
    """Whether the viewer may approve, return or reject a message, if it is still held. Auditors change nothing."""
    if not viewer.active or viewer.role == Role.AUDITOR or wait.message.employee_id == viewer.pk:
        return False
    if wait.message.tenant != viewer.tenant:
        return False
    return sees_all(viewer) or _watches(viewer, wait)


def _watches(viewer: Employee, wait: Wait) -> bool:
    conversation, writer = wait.message.conversation, wait.message.employee
    if conversation.team is not None:
        return may_judge(viewer, conversation.team, writer)
    return writer is not None and any(may_judge(viewer, team, writer) for team in writer.teams.all())

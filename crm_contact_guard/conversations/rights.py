"""Permissions to read conversations, to answer in them and to link them to a customer."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched_teams
from crm_contact_guard.record.models import Conversation


def conversations(viewer: Employee) -> QuerySet[Conversation]:
    """Return the conversations that the viewer may read."""
    rows = Conversation.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    if sees_all(viewer):
        return rows
    mine = Q(employee=viewer) | Q(employee__isnull=True, team__in=viewer.teams.all())
    return rows.filter(mine | Q(team__in=watched_teams(viewer)))


def own_conversations(viewer: Employee) -> QuerySet[Conversation]:
    """Return the viewer's inbox: conversations that are the viewer's, or unassigned in one of the viewer's teams."""
    rows = Conversation.objects.filter(tenant=viewer.tenant)
    if not viewer.active or viewer.role == Role.AUDITOR:
        return rows.none()
    return rows.filter(Q(employee=viewer) | Q(employee__isnull=True, team__in=viewer.teams.all()))


def may_write(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may answer in the conversation."""
    return own_conversations(viewer).filter(pk=conversation.pk).exists()


def may_name_customer(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may link the conversation to a customer.

    Employees who may answer in it, its team's supervisor and deputy, and compliance officers may.
    """
    if not viewer.active or viewer.role == Role.AUDITOR:
        return False
    if may_write(viewer, conversation):
        return True
    if viewer.role == Role.COMPLIANCE:
        return conversations(viewer).filter(pk=conversation.pk).exists()
    return conversation.team_id is not None and watched_teams(viewer).filter(pk=conversation.team_id).exists()

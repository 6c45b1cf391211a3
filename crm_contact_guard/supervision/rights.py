"""Who may see alerts and work on them. Nobody sees an alert that concerns them, and auditors can't change anything."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.directory.absences import stood_in_for
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched, watched_teams
from crm_contact_guard.supervision.models import Alert


def alerts(viewer: Employee) -> QuerySet[Alert]:
    """Return the alerts that the viewer may see, which never include alerts about the viewer."""
    rows = Alert.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    rows = rows.exclude(concerned=viewer)
    if sees_all(viewer):
        return rows
    # An alert about a supervisor goes to the deputy. Deputies see alerts addressed to them and those of their teams.
    away = stood_in_for(viewer)
    lent = Q(addressee__in=away) & ~Q(concerned__in=away)
    return rows.filter(Q(addressee=viewer) | lent | watched(viewer, team="team", concerned="concerned"))


def may_review(viewer: Employee, alert: Alert) -> bool:
    """Whether the viewer may claim and close the alert. Everyone who can see it may, except auditors."""
    return viewer.role != Role.AUDITOR and alerts(viewer).filter(pk=alert.pk).exists()


def may_erase(viewer: Employee, alert: Alert) -> bool:
    """Whether the viewer may erase messages that the alert names for sensitive data.

    Compliance officers and the team's supervisor and deputy may, unless the alert concerns them.
    """
    if not may_review(viewer, alert):
        return False
    return viewer.role == Role.COMPLIANCE or watched_teams(viewer).filter(alerts=alert).exists()

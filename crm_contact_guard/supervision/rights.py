"""Who may see an alert and work on it. Nobody sees one that concerns them; auditors change nothing."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched_teams
from crm_contact_guard.supervision.models import Alert


def alerts(viewer: Employee) -> QuerySet[Alert]:
    """Alerts the viewer may see; never those that concern the viewer."""
    rows = Alert.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    rows = rows.exclude(concerned=viewer)
    if sees_all(viewer):
        return rows
    # A supervisor's own alert goes to the deputy; the deputy sees what is addressed to them and the team's.
    return rows.filter(Q(addressee=viewer) | Q(team__in=watched_teams(viewer)))


def may_review(viewer: Employee, alert: Alert) -> bool:
    """Whether the viewer may claim and close the alert: all who see it except auditors."""
    return viewer.role != Role.AUDITOR and alerts(viewer).filter(pk=alert.pk).exists()


def may_erase(viewer: Employee, alert: Alert) -> bool:
    """Whether the viewer may erase messages that the alert names for sensitive data: compliance, the team's head."""
    if not may_review(viewer, alert):
        return False
    return viewer.role == Role.COMPLIANCE or watched_teams(viewer).filter(alerts=alert).exists()

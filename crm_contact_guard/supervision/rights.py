"""Who may see alerts and work on them. Nobody sees an alert that concerns them, and auditors can't change anything."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_contact_guard.directory.absences import stood_in_for
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched, watched_teams
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.quality.models import SecondReview


def alerts(viewer: Employee) -> QuerySet[Alert]:
    """Return the alerts that the viewer may see, which never include alerts about the viewer.

    A closed alert that waits for the viewer's second review is left out, so that the first judgement stays unknown.
    """
    rows = Alert.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    blind = SecondReview.objects.filter(alert=OuterRef("pk"), reviewer=viewer, given_at=None)
    rows = rows.exclude(concerned=viewer).exclude(Q(Exists(blind), status=Alert.Status.CLOSED))
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

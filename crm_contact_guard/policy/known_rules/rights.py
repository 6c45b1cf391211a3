"""Who publishes rules, who signs them, who answers questions, and whose signatures a person may see."""

from __future__ import annotations

from django.db.models import QuerySet

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import sees_all, watched_teams


def may_publish(viewer: Employee) -> bool:
    """Whether the viewer publishes rules: compliance officers."""
    return viewer.active and viewer.role == Role.COMPLIANCE


def must_sign(viewer: Employee) -> bool:
    """Whether the viewer signs rules: everybody except auditors."""
    return viewer.active and viewer.role != Role.AUDITOR


def may_answer_questions(viewer: Employee) -> bool:
    """Whether the viewer answers questions about the rules: compliance officers, supervisors and deputies."""
    return may_publish(viewer) or (must_sign(viewer) and watched_teams(viewer).exists())


def signers(viewer: Employee) -> QuerySet[Employee]:
    """Return the people whose signature the viewer may look up.

    Compliance officers and auditors see everybody in their tenant, supervisors and deputies their teams.
    """
    rows = Employee.objects.filter(tenant=viewer.tenant, active=True).exclude(role=Role.AUDITOR)
    if sees_all(viewer):
        return rows
    if not viewer.active:
        return rows.none()
    return rows.filter(teams__in=watched_teams(viewer)).exclude(pk=viewer.pk).distinct()

"""Who may see and open cases.

Participants have access, and so does the employee concerned once they have been told. Other compliance officers see
only that a case exists, and may join it with a reason. Auditors read the record, not cases.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.directory.models import Employee, Role, Team
from crm_contact_guard.directory.rights import may_judge
from crm_contact_guard.supervision.cases.models import Case, Part


def cases(viewer: Employee) -> QuerySet[Case]:
    """Return the cases that the viewer may read: as a participant, or as the employee concerned."""
    rows = Case.objects.filter(tenant=viewer.tenant)
    if not viewer.active or viewer.role == Role.AUDITOR:
        return rows.none()
    told = Q(concerned=viewer, told_at__isnull=False)
    return rows.filter(told | (Q(participants__employee=viewer) & ~_concerning(viewer))).distinct()


def joinable(viewer: Employee) -> QuerySet[Case]:
    """Return the cases that the viewer knows to exist and may join, which are those of others."""
    rows = Case.objects.filter(tenant=viewer.tenant)
    if not viewer.active or viewer.role != Role.COMPLIANCE:
        return rows.none()
    return rows.exclude(participants__employee=viewer).exclude(concerned=viewer)


def part_of(viewer: Employee, case: Case) -> Part:
    """Return the viewer's part in a case."""
    if not viewer.active or viewer.tenant != case.tenant or viewer.role == Role.AUDITOR:
        return Part.NOBODY
    if case.concerned_id == viewer.pk:
        return Part.CONCERNED if case.told_at is not None else Part.NOBODY
    stored = case.participants.filter(employee=viewer).values_list("part", flat=True).first()
    if stored is not None:
        return Part(stored)
    return Part.OFFICER if viewer.role == Role.COMPLIANCE else Part.NOBODY


def may_open(viewer: Employee, concerned: Employee | None, team: Team | None) -> bool:
    """Whether the viewer may open a case: compliance officers, and the team's supervisor and deputy, if not concerned.

    ``concerned`` and ``team``: whom the case is about and the team where it happened.
    """
    if not viewer.active or viewer.role == Role.AUDITOR:
        return False
    if concerned is not None and (concerned.pk == viewer.pk or concerned.tenant != viewer.tenant):
        return False
    if team is not None and team.tenant != viewer.tenant:
        return False
    if viewer.role == Role.COMPLIANCE:
        return True
    return may_judge(viewer, team, concerned)


def may_take_part(person: Employee, case: Case) -> bool:
    """Whether somebody may become a participant."""
    return (
        person.active
        and person.tenant == case.tenant
        and person.role != Role.AUDITOR
        and person.pk != case.concerned_id
    )


def _concerning(viewer: Employee) -> Q:
    return Q(concerned__isnull=False, concerned=viewer)

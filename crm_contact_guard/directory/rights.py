"""Permissions that depend only on role and team.

Permissions on conversations or alerts are in the ``rights`` modules of those packages. Services check permissions
before they act. The module ``permissions`` gathers the rules of all packages for pages, the API and commands.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm_contact_guard.directory import absences
from crm_contact_guard.directory.models import Customer, Employee, Role, Team


def sees_all(viewer: Employee) -> bool:
    return viewer.active and viewer.role in (Role.COMPLIANCE, Role.AUDITOR)


def watched_teams(viewer: Employee) -> QuerySet[Team]:
    """Return the teams in which the viewer is supervisor or deputy, or stands in for one who is away."""
    away = absences.stood_in_for(viewer)
    lent = Q(supervisor__in=away) | Q(deputy__in=away)
    return Team.objects.filter(_heads(viewer) | lent, tenant=viewer.tenant)


def watched(viewer: Employee, *, team: str, concerned: str) -> Q:
    """Return a filter for rows of the teams that the viewer watches, to judge what an employee did.

    ``team`` and ``concerned`` are the paths from the row to the team and to that employee. Stand-ins never judge those
    for whom they stand in: who is away would have chosen the judge.
    """
    own = Team.objects.filter(_heads(viewer), tenant=viewer.tenant)
    lent = Q(**{f"{team}__in": watched_teams(viewer)})
    return Q(**{f"{team}__in": own}) | lent & ~Q(**{f"{concerned}__in": absences.stood_in_for(viewer)})


def may_judge(viewer: Employee, team: Team | None, concerned: Employee | None) -> bool:
    """Whether the viewer watches the team and isn't only standing in for the employee concerned (``watched``)."""
    if team is None or not watched_teams(viewer).filter(pk=team.pk).exists():
        return False
    is_own = Team.objects.filter(_heads(viewer), pk=team.pk).exists()
    return is_own or concerned is None or not absences.stood_in_for(viewer).filter(person=concerned).exists()


def _heads(viewer: Employee) -> Q:
    return Q(supervisor=viewer) | Q(deputy=viewer)


def may_start(viewer: Employee, customer: Customer) -> bool:
    """Whether the viewer may start a conversation with the customer.

    The customer's owner and the members of the customer's team may. If the customer has neither, all employees may.
    """
    if not viewer.active or viewer.role == Role.AUDITOR or customer.tenant != viewer.tenant:
        return False
    if customer.owner_id == viewer.pk or (customer.owner_id is None and customer.team_id is None):
        return True
    return customer.team_id is not None and viewer.teams.filter(pk=customer.team_id).exists()


def may_identify_as(viewer: Employee, customer: Customer) -> bool:
    """Whether the viewer may link an unknown sender to this customer.

    Employees may if they may start a conversation with the customer. Supervisors of the customer's team and compliance
    officers always may.
    """
    if customer.tenant != viewer.tenant or not customer.active or customer.key is None:
        return False
    if sees_all(viewer) and viewer.role != Role.AUDITOR:
        return True
    teams = watched_teams(viewer)
    return may_start(viewer, customer) or (customer.team_id is not None and teams.filter(pk=customer.team_id).exists())


def may_answer_subjects(viewer: Employee, tenant: str | None = None) -> bool:
    """Whether the viewer may disclose or erase customer data and manage legal holds (of ``tenant``, if given)."""
    return viewer.active and viewer.role == Role.COMPLIANCE and tenant in (None, viewer.tenant)


def may_unmask(viewer: Employee, tenant: str | None = None) -> bool:
    """Whether the viewer may see unmasked addresses (of ``tenant``, if given). Each unmasking is recorded."""
    return viewer.active and viewer.role == Role.COMPLIANCE and tenant in (None, viewer.tenant)


def may_enter_absence(viewer: Employee, person: Employee) -> bool:
    """Whether the viewer may enter that a person is away: people who supervise for themselves, compliance for all."""
    if not viewer.active or viewer.role == Role.AUDITOR or viewer.tenant != person.tenant or not has_duties(person):
        return False
    return viewer.pk == person.pk or viewer.role == Role.COMPLIANCE


def has_duties(person: Employee) -> bool:
    """Whether alerts and other work of supervision come to the person, so that somebody must stand in."""
    if not person.active or person.role == Role.AUDITOR:
        return False
    return person.role == Role.COMPLIANCE or Team.objects.filter(_heads(person), tenant=person.tenant).exists()


def may_see_hours(viewer: Employee, owner: Employee) -> bool:
    """Whether the viewer may see when an employee works: their own, their team's, or everybody's in the tenant."""
    if not viewer.active or viewer.tenant != owner.tenant:
        return False
    return viewer.pk == owner.pk or sees_all(viewer) or _watches(viewer, owner)


def hours_seen(viewer: Employee) -> QuerySet[Employee]:
    """Return the active employees for whom ``may_see_hours`` holds."""
    people = Employee.objects.filter(tenant=viewer.tenant, active=True)
    if not viewer.active:
        return people.none()
    if sees_all(viewer):
        return people
    members = Employee.objects.filter(teams__in=watched_teams(viewer)).values("pk")
    return people.filter(Q(pk=viewer.pk) | Q(pk__in=members))


def may_enter_hours(viewer: Employee, owner: Employee | None, tenant: str) -> bool:
    """Whether the viewer may enter an employee's hours or, if ``owner`` is None, the company's dates of a tenant.

    Nobody enters their own. Compliance officers may enter all others and the company's dates, supervisors those of
    their teams.
    """
    if not viewer.active or viewer.tenant != tenant or viewer.role == Role.AUDITOR:
        return False
    if owner is None:
        return viewer.role == Role.COMPLIANCE
    if owner.tenant != tenant or owner.pk == viewer.pk:
        return False
    return viewer.role == Role.COMPLIANCE or _watches(viewer, owner)


def _watches(viewer: Employee, owner: Employee) -> bool:
    return watched_teams(viewer).filter(members=owner).exists()

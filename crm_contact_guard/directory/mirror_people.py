"""Mirror the host's employees and teams."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from crm_contact_guard import crm
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.models import Employee, Role, Team
from crm_contact_guard.directory.placing import within
from crm_contact_guard.directory.writing import whole
from crm_contact_guard.hosting import database


@database.atomic()
def mirror_employee(record: crm.EmployeeRecord) -> Employee:
    """Create or update one employee with their teams."""
    role = record.role if record.role in Role.values else Role.EMPLOYEE
    employee, _ = Employee.objects.update_or_create(
        tenant=record.tenant,
        key=record.key,
        defaults={
            "user": crm.adapter().user(record.key),
            "name": record.name[:255],
            "email": record.email[:320],
            "role": role,
            "timezone": whole(record.timezone, 64),
            "language": whole(record.language, 16),
            "working_hours": dict(record.working_hours or {}),
            "calendar": dict(record.calendar or {}),
            "active": record.active,
        },
    )
    employee.teams.set(Team.objects.filter(tenant=record.tenant, key__in=record.team_keys))
    changes.people_changed(employee)
    return employee


@database.atomic()
def mirror_teams(tenant: str = "") -> int:
    """Create or update all teams with their supervisor and deputy. Return the number of teams.

    ``tenant`` is the current tenant. A host without contexts returns the teams of all tenants, so the teams of other
    tenants are skipped.
    """
    records = [
        within(tenant, record)
        for record in crm.adapter().teams()
        if crm.has_contexts(crm.adapter()) or not tenant or record.tenant in ("", tenant)
    ]
    for record in records:
        Team.objects.update_or_create(tenant=record.tenant, key=record.key, defaults={"name": record.name[:255]})
    for record in records:
        Team.objects.filter(tenant=record.tenant, key=record.key).update(
            supervisor=colleague(record.supervisor_key, record.tenant),
            deputy=colleague(record.deputy_key, record.tenant),
        )
        for team in Team.objects.filter(tenant=record.tenant, key=record.key):
            changes.people_changed(team)
    return len(records)


def colleague(key: str, tenant: str) -> Employee | None:
    """Return the employee with this user key, or None if there is none or the user belongs to another tenant."""
    user = crm.adapter().user(key) if key else None
    with crm.tenant(tenant) if tenant != crm.current_tenant() else nullcontext():
        record = crm.adapter().employee(user) if user is not None else None
    if record is None or record.tenant not in ("", tenant):
        return None
    return mirror_employee(replace(record, tenant=tenant))

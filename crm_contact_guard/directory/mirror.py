"""Find the mirrored employee of a user, or the mirrored customer of a host's row. Both are mirrored on first use.

``directory_sync`` mirrors all of them. Rows are identified by the host's key. A row that the host no longer has is
deactivated, never deleted.
"""

from __future__ import annotations

from typing import Any, Final

from crm_contact_guard import crm
from crm_contact_guard.directory.mirror_customers import mirror_customer
from crm_contact_guard.directory.mirror_people import mirror_employee, mirror_teams
from crm_contact_guard.directory.models import Customer, Employee, Role, Team
from crm_contact_guard.directory.placing import placed

#: Attributes that django-hijack and django-impersonate set on an impersonated user.
_IMPERSONATED: Final = ("is_hijacked", "is_impersonate")


def employee_for(user: Any) -> Employee | None:
    """Return the mirrored employee of a host user, or None if the user has no role in the host.

    The employee is created on first use. If a user belongs to several tenants, the employee in the current one is
    returned. For an impersonated user, None is returned, because the record would attribute the impersonator's actions
    to the user.
    """
    if user is None or not getattr(user, "is_authenticated", False) or _is_somebody_else(user):
        return None
    employees, tenant = list(Employee.objects.filter(user=user)), crm.current_tenant()
    here = [employee for employee in employees if employee.tenant == tenant] if tenant else employees
    active = [employee for employee in here if employee.active]
    if here and not active:
        return None
    if len(active) == 1:
        return active[0]
    host_record = crm.adapter().employee(user)
    record = placed(host_record) if host_record is not None and not crm.is_outside(host_record) else None
    if record is None or not record.active:
        return None
    if active:
        return next((employee for employee in active if employee.tenant == record.tenant), None)
    teams = Team.objects.filter(tenant=record.tenant)
    known_teams = set(teams.filter(key__in=record.team_keys).values_list("key", flat=True))
    if record.role == Role.SUPERVISOR or known_teams != set(record.team_keys):
        mirror_teams(tenant)
    return mirror_employee(record)


def _is_somebody_else(user: Any) -> bool:
    return any(getattr(user, name, False) is True for name in _IMPERSONATED)


def customer_for(host_customer: object) -> Customer:
    """Refresh and return the mirrored customer of a host object or key.

    Raise LookupError if the current tenant has no such customer.
    """
    adapter = crm.adapter()
    key = host_customer if isinstance(host_customer, str) else adapter.customer_key(host_customer)
    record = placed(adapter.customer(key))
    if record is None:
        raise LookupError(f"The CRM has no customer {key!r}")
    return mirror_customer(record)

"""Mirrors the whole directory from the host: for the command, the schedule, and ``contact_guard_check --fix``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from crm_contact_guard import crm
from crm_contact_guard.conversations.identity import customer_gone
from crm_contact_guard.directory.mirror import mirror_customer, mirror_employee, mirror_teams, staff_within, within
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import ConfigurationError


def sync_all() -> dict[str, int]:
    """Mirror all teams, employees and customers, tenant by tenant. Deactivates people who are gone from the host.

    A tenant without any rows deactivates nobody, since row security returns none to a process without a context. This
    also applies to a host without contexts whose rows name their tenants. Conversations of merged customers move to the
    remaining customer. Returns the number of teams, employees and customers.

    Raises ConfigurationError if the adapter's settings are invalid: with a misspelt field, all addresses would seem
    lost.
    """
    adapter = crm.adapter()
    for says, hint in adapter.problems():
        raise ConfigurationError(f"{says} ({hint})")
    counts = {"teams": 0, "employees": 0, "customers": 0}
    for tenant in adapter.tenants():
        with crm.tenant(tenant):
            counts["teams"] += mirror_teams(tenant)
            staff = [mirror_employee(record) for record in staff_within(tenant)]
            counts["employees"] += len(staff)
            _deactivate_others(staff, tenant)
            present: dict[Any, str] = {}
            for record in adapter.customers():
                customer = mirror_customer(within(tenant, record))
                present[customer.pk] = customer.tenant
                counts["customers"] += 1
            _remove_missing(present)
    return counts


def _deactivate_others(staff: list[Employee], tenant: str) -> None:
    condition = Q(tenant__in={employee.tenant for employee in staff})
    if not tenant:
        # Employees who moved to another tenant and were the last ones in theirs.
        condition |= Q(key__in=[employee.key for employee in staff])
    rows = Employee.objects.filter(condition, active=True).exclude(pk__in=[employee.pk for employee in staff])
    rows.update(active=False)


def _remove_missing(present: Mapping[Any, str]) -> None:
    mirrored = Customer.objects.filter(active=True, key__isnull=False, tenant__in=set(present.values()))
    for pk in set(mirrored.values_list("pk", flat=True).iterator()) - present.keys():
        customer_gone(Customer.objects.get(pk=pk))

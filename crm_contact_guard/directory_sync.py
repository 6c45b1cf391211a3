"""The whole directory, mirrored from the host: by command, by schedule, and by ``contact_guard_check --fix``."""

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
    """Mirror teams, employees and customers whole, tenant by tenant; people the host no longer has are deactivated.

    A tenant that shows nobody at all (row security answers a process without a context that way) deactivates nobody,
    also where the host has no contexts and its rows name their tenants. Conversations of customers that the host merged
    go to the one they became.

    Raises ConfigurationError while the adapter's settings are wrong: a field that is misspelt would look like addresses
    that everybody has lost.
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
            _let_go(present)
    return counts


def _deactivate_others(staff: list[Employee], tenant: str) -> None:
    gone = Q(tenant__in={employee.tenant for employee in staff})
    if not tenant:
        # Who moved to another tenant, and was the last to leave.
        gone |= Q(key__in=[employee.key for employee in staff])
    rows = Employee.objects.filter(gone, active=True).exclude(pk__in=[employee.pk for employee in staff])
    rows.update(active=False)


def _let_go(present: Mapping[Any, str]) -> None:
    known = Customer.objects.filter(active=True, key__isnull=False, tenant__in=set(present.values()))
    for pk in set(known.values_list("pk", flat=True).iterator()) - present.keys():
        customer_gone(Customer.objects.get(pk=pk))

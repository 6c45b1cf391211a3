"""Mirror the whole directory from the host, for the command, the schedule and ``contact_guard_check --fix``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from crm_contact_guard import crm
from crm_contact_guard.conversations.identity import customers_gone
from crm_contact_guard.directory.changes import people_changed
from crm_contact_guard.directory.mirror_customers import mirror_customers
from crm_contact_guard.directory.mirror_people import mirror_employee, mirror_teams
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.placing import staff_within, within
from crm_contact_guard.directory.problems import adapter_problems
from crm_contact_guard.directory.writing import batches
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import database
from crm_contact_guard.roster_sync import rosters_queue


def sync_all() -> dict[str, int]:
    """Mirror all teams, employees and customers, tenant by tenant. Return the number of each.

    People who are gone from the host are deactivated. However, if the host returns no rows for a tenant, nobody in that
    tenant is deactivated, because row-level security returns no rows to a process without a context. This also applies
    to a host without contexts whose rows name their tenants.

    Conversations of merged customers move to the remaining customer. Customers are written in batches, each in one
    transaction, so an interrupted sync leaves only complete batches.

    Raise ConfigurationError if the adapter's settings are invalid. With a misspelt field, for example, all addresses
    would seem to be lost.
    """
    for says, hint in adapter_problems():
        raise ConfigurationError(f"{says} ({hint})")
    adapter = crm.adapter()
    counts = {"teams": 0, "employees": 0, "customers": 0}
    for tenant in adapter.tenants():
        with crm.tenant(tenant):
            teams, employees = _staff(tenant)
            counts["teams"] += teams
            counts["employees"] += employees
            present: set[Any] = set()
            tenants: set[str] = set()
            for batch in batches(within(tenant, record) for record in adapter.customers()):
                present.update(customer.pk for customer in mirror_customers(batch))
                tenants.update(record.tenant for record in batch)
                counts["customers"] += len(batch)
            _remove_missing(present, tenants)
    return counts


def _staff(tenant: str) -> tuple[int, int]:
    """Mirror the teams and employees of ``tenant``, whose context must be active. Return the number of each."""
    teams = mirror_teams(tenant)
    staff, records = [], {}
    for record in staff_within(tenant):
        employee = mirror_employee(record)
        staff.append(employee)
        records[employee.pk] = record
    _deactivate_others(staff, tenant)
    rosters_queue(tenant, records)
    return teams, len(staff)


@database.atomic()
def _deactivate_others(staff: list[Employee], tenant: str) -> None:
    places = {employee.pk: (employee.tenant, employee.key) for employee in staff}
    for employee in employees_gone(places, tenant):
        employee.active = False
        employee.save(update_fields=["active"])
        people_changed(employee)


def employees_gone(staff: Mapping[Any, tuple[str, str]], tenant: str) -> QuerySet[Employee]:
    """Return the active employees who are missing from ``staff``.

    ``staff`` contains the tenant and key of each employee whom the host has in this tenant, by primary key.
    """
    condition = Q(tenant__in={of for of, _key in staff.values()})
    if not tenant:
        # Include employees who moved to another tenant and were the last ones in their previous tenant.
        condition |= Q(key__in=[key for _of, key in staff.values()])
    return Employee.objects.filter(condition, active=True).exclude(pk__in=list(staff))


def _remove_missing(present: Collection[Any], tenants: Collection[str]) -> None:
    mirrored = Customer.objects.filter(active=True, key__isnull=False, tenant__in=tenants).values_list("pk", flat=True)
    missing = [pk for pk in mirrored.iterator() if pk not in present]
    for batch in batches(missing):
        customers_gone(list(Customer.objects.filter(pk__in=batch)))

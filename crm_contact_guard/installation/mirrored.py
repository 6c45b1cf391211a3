"""Find out which mirrored rows a sync would change, by performing its changes in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from crm_contact_guard import crm
from crm_contact_guard.directory.mirror_customers import mirror_customers
from crm_contact_guard.directory.mirror_people import mirror_employee, mirror_teams
from crm_contact_guard.directory.models import Address, Customer, Employee, Team
from crm_contact_guard.directory.placing import staff_within
from crm_contact_guard.directory_sync import employees_gone
from crm_contact_guard.hosting import database

_Row = dict[str, Any]


def staff_changed() -> tuple[list[str], list[str]]:
    """Return the names of the teams and of the employees that a sync would add or change.

    Each employee is checked in a separate transaction, since locking all of them would block the site.
    """
    teams, staff = [], []
    for tenant in crm.adapter().tenants():
        with crm.tenant(tenant):
            with database.rolled_back():
                before = _contents(Team.objects.all())
                mirror_teams(tenant)
                teams += _differing(before, _contents(Team.objects.all()))
            places: dict[Any, tuple[str, str]] = {}
            for record in staff_within(tenant):
                row = Employee.objects.filter(tenant=record.tenant, key=record.key)
                with database.rolled_back():
                    before = _contents(row)
                    mirror_employee(record)
                    staff += _differing(before, _contents(row))
                places |= dict.fromkeys(before, (record.tenant, record.key))
            staff += employees_gone(places, tenant).values_list("name", flat=True)
    return teams, staff


def changed_customers(records: Sequence[crm.CustomerRecord]) -> list[str]:
    """Return the names of mirrored customers that a sync would change, including changes to their addresses."""
    with database.rolled_back():
        keys = [record.key for record in records]
        mirrored = Customer.objects.filter(tenant__in={record.tenant for record in records}, key__in=keys)
        places = set(mirrored.values_list("tenant", "key"))
        before = _customers(mirrored)
        mirror_customers([record for record in records if (record.tenant, record.key) in places])
        return _differing(before, _customers(mirrored))


def _customers(rows: QuerySet[Customer]) -> dict[Any, _Row]:
    found = _contents(rows)
    for row in found.values():
        row["addresses"] = set()
    fields = "customer", "kind", "value", "position", "dropped"
    for customer, *address in Address.objects.filter(customer__in=list(found)).values_list(*fields):
        found[customer]["addresses"].add(tuple(address))
    return found


def _contents(found: QuerySet[Any]) -> dict[Any, _Row]:
    """Return the values of all columns and many-to-many relations of these rows, by primary key."""
    rows = {
        row["pk"]: row for row in found.values("pk", *(field.attname for field in found.model._meta.concrete_fields))
    }
    for field in found.model._meta.many_to_many:
        for row in rows.values():
            row[field.name] = set()
        for pk, other in found.filter(**{f"{field.name}__isnull": False}).values_list("pk", field.name):
            rows[pk][field.name].add(other)
    return rows


def _differing(before: dict[Any, _Row], after: dict[Any, _Row]) -> list[str]:
    return [str(row["name"]) for pk, row in after.items() if before.get(pk) != row]

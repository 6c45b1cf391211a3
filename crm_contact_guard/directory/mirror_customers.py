"""Mirror the host's customers, many at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError
from django.db.models import Model, QuerySet

from crm_contact_guard import crm
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.addresses import name_of
from crm_contact_guard.directory.mirror_addresses import mirror_addresses
from crm_contact_guard.directory.mirror_people import colleague
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.directory.writing import changed_by, whole
from crm_contact_guard.hosting import database

M = TypeVar("M", bound=Model)
#: A tenant and a key in it.
Place = tuple[str, str]


def mirror_customer(record: crm.CustomerRecord) -> Customer:
    """Create or update one customer with their addresses. Delete addresses that the host removed, but keep opt-outs."""
    return mirror_customers([record])[0]


def mirror_customers(records: Sequence[crm.CustomerRecord]) -> list[Customer]:
    """Create or update a batch of customers like ``mirror_customer``, with a dozen queries in one transaction.

    Unchanged rows are not written.
    """
    try:
        return _mirror_customers(records)
    except IntegrityError:
        # Another process inserted one of them, or two keys are equal under the database's collation.
        return [_mirror_customers([record])[0] for record in records]


@database.atomic()
def _mirror_customers(records: Sequence[crm.CustomerRecord]) -> list[Customer]:
    by_place = {(record.tenant, record.key): record for record in records}  # the last of several with the same key
    owners = _owners(records)
    teams = _by_place(Team.objects.all(), ((record.tenant, record.team_key) for record in records))
    customers = _by_place(Customer.objects.all(), by_place)
    if len(by_place) == 1:
        # A collation may ignore case, so the row that the database found is the right one even if its key is written
        # differently.
        customers = {place: customer for place in by_place for customer in customers.values()}
    new, changed = [], []
    for place, record in by_place.items():
        owner, own_team = owners.get((record.tenant, record.owner_key), (None, None))
        team = teams.get((record.tenant, record.team_key), own_team)
        values = {
            # Some hosts return the address instead of a missing name.
            "name": name_of(record.name)[:255],
            "language": whole(record.language, 16),
            "timezone": whole(record.timezone, 64),
            "owner_id": owner and owner.pk,
            "team_id": team and team.pk,
            "url": whole(record.url, 500),
            "active": True,
            "quiet_hours": dict(record.quiet_hours) if record.quiet_hours is not None else None,
        }
        if place not in customers:
            customers[place] = Customer(tenant=record.tenant, key=record.key, salt=os.urandom(16), **values)
            new.append(customers[place])
        elif changed_by(customers[place], values):
            changed.append(customers[place])
        customers[place].owner, customers[place].team = owner, team
    Customer.objects.bulk_create(new)
    changes.lock({customer.pk for customer in changed})
    if changed:
        names = ["name", "language", "timezone", "owner", "team", "url", "active", "quiet_hours"]
        Customer.objects.bulk_update(changed, names)
    made = {customer.pk for customer in new}
    moved = mirror_addresses([(customers[place], record.addresses) for place, record in by_place.items()], made)
    # Customers created before version 1.0 have no salt, because they have not been recorded yet.
    unknown = {customer.pk for customer in customers.values() if customer.salt is None}
    changes.customers_changed(unknown | moved | made | {customer.pk for customer in changed})
    return [customers[record.tenant, record.key] for record in records]


def _owners(records: Sequence[crm.CustomerRecord]) -> dict[Place, tuple[Employee | None, Team | None]]:
    """Return the customers' owners by tenant and key, each with the team for customers without one of their own."""
    places = {(record.tenant, record.owner_key) for record in records if record.owner_key}
    employees = _by_place(Employee.objects.prefetch_related("teams"), places)
    owners: dict[Place, tuple[Employee | None, Team | None]] = {}
    for tenant, key in places:
        owner = employees.get((tenant, key)) or colleague(key, tenant)
        owners[tenant, key] = owner, next(iter(owner.teams.all()), None) if owner is not None else None
    return owners


def _by_place(rows: QuerySet[M], places: Iterable[Place]) -> dict[Place, M]:
    """Return the rows with these tenants and keys, and possibly others if a key occurs in several of the tenants."""
    wanted = {(tenant, key) for tenant, key in places if key}
    found: Iterable[Any] = rows.filter(tenant__in={tenant for tenant, _ in wanted}, key__in={key for _, key in wanted})
    return {(row.tenant, row.key): row for row in found}

"""Mirror the host's employees, customers and teams, either on first use or all of them for ``directory_sync``.

Rows are identified by the host's key. A row that the host no longer has is deactivated, never deleted.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Model, QuerySet

from crm_contact_guard import crm
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.addresses import name_of, normalise
from crm_contact_guard.directory.models import Address, Customer, Employee, Role, Team
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import database

#: Attributes that django-hijack and django-impersonate set on an impersonated user.
_IMPERSONATED: Final = ("is_hijacked", "is_impersonate")
#: Rows per query and per transaction.
BATCH: Final = 500

M = TypeVar("M", bound=Model)
T = TypeVar("T")
#: A tenant and a key in it.
Place = tuple[str, str]


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
            "timezone": _whole(record.timezone, 64),
            "language": _whole(record.language, 16),
            "working_hours": dict(record.working_hours or {}),
            "calendar": dict(record.calendar or {}),
            "active": record.active,
        },
    )
    employee.teams.set(Team.objects.filter(tenant=record.tenant, key__in=record.team_keys))
    changes.people_changed(employee)
    return employee


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
            "language": _whole(record.language, 16),
            "timezone": _whole(record.timezone, 64),
            "owner_id": owner and owner.pk,
            "team_id": team and team.pk,
            "url": _whole(record.url, 500),
            "active": True,
            "quiet_hours": dict(record.quiet_hours) if record.quiet_hours is not None else None,
        }
        if place not in customers:
            customers[place] = Customer(tenant=record.tenant, key=record.key, salt=os.urandom(16), **values)
            new.append(customers[place])
        elif _update(customers[place], values):
            changed.append(customers[place])
        customers[place].owner, customers[place].team = owner, team
    Customer.objects.bulk_create(new)
    changes.lock({customer.pk for customer in changed})
    if changed:
        names = ["name", "language", "timezone", "owner", "team", "url", "active", "quiet_hours"]
        Customer.objects.bulk_update(changed, names)
    made = {customer.pk for customer in new}
    moved = _mirror_addresses([(customers[place], record.addresses) for place, record in by_place.items()], made)
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
        owner = employees.get((tenant, key)) or _colleague(key, tenant)
        owners[tenant, key] = owner, next(iter(owner.teams.all()), None) if owner is not None else None
    return owners


def _by_place(rows: QuerySet[M], places: Iterable[Place]) -> dict[Place, M]:
    """Return the rows with these tenants and keys, and possibly others if a key occurs in several of the tenants."""
    wanted = {(tenant, key) for tenant, key in places if key}
    found: Iterable[Any] = rows.filter(tenant__in={tenant for tenant, _ in wanted}, key__in={key for _, key in wanted})
    return {(row.tenant, row.key): row for row in found}


def _update(row: Model, values: Mapping[str, Any]) -> bool:
    """Set attributes of a row without saving it. Return whether any of them changed."""
    changed = any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    return changed


def _whole(text: str, most: int) -> str:
    """Return the text, or an empty string if it is too long, since a truncated value would be wrong."""
    return text if len(text) <= most else ""


def _mirror_addresses(customers: Sequence[tuple[Customer, Iterable[crm.AddressRecord]]], made: Set[UUID]) -> set[UUID]:
    """Write the customers' addresses. Return the IDs of customers whose addresses changed.

    ``made`` are the IDs of new customers, which other processes can't have seen yet.
    """
    addresses: dict[Any, dict[tuple[str, str], Address]] = defaultdict(dict)
    for address in Address.objects.filter(customer__in=[customer for customer, _records in customers]):
        addresses[address.customer_id][address.kind, address.normalised] = address
    new, changed, removed = [], [], []
    for customer, records in customers:
        own = addresses[customer.pk]
        current: set[tuple[str, str]] = set()
        for position, record in enumerate(records):
            place = record.kind, normalise(record.kind, record.value)
            if not place[1] or place in current:
                continue  # the host's first entry takes precedence
            current.add(place)
            values = {"value": record.value[:320], "position": position, "learnt": False, "dropped": False}
            if place not in own:
                new.append(Address(customer=customer, kind=place[0], normalised=place[1], **values))
            elif _update(own[place], values):
                changed.append(own[place])
        others = [address for place, address in own.items() if place not in current and not address.learnt]
        removed += [address for address in others if address.opted_out_at is None or not address.dropped]
    moved = {address.customer_id for address in (*new, *changed, *removed)}
    changes.lock(moved - made)
    for batch in batches(removed):
        rows = Address.objects.filter(pk__in=[address.pk for address in batch], learnt=False)
        rows.filter(opted_out_at__isnull=True).delete()
        rows.update(dropped=True)
    for fresh in batches(new):
        _copy_opt_outs(fresh)
        # One of them may exist already, because of another process or a collation that ignores case.
        Address.objects.bulk_create(fresh, ignore_conflicts=True)
    if changed:
        Address.objects.bulk_update(changed, ["value", "position", "learnt", "dropped"])
    return moved


def _copy_opt_outs(new: Sequence[Address]) -> None:
    """Copy opt-outs from rows with the same address, so that they stay in force if the host moves it to another row."""
    rows = Address.objects.filter(
        kind__in={address.kind for address in new},
        normalised__in={address.normalised for address in new},
        customer__tenant__in={address.customer.tenant for address in new},
        opted_out_at__isnull=False,
    )
    columns = "customer__tenant", "kind", "normalised", "opted_out_at", "opted_out_by"
    opt_outs = {
        (tenant, kind, normalised): (at, by)  # the latest
        for tenant, kind, normalised, at, by in rows.order_by("opted_out_at").values_list(*columns)
    }
    for address in new:
        opt_out = opt_outs.get((address.customer.tenant, address.kind, address.normalised))
        if opt_out is not None:
            address.opted_out_at, address.opted_out_by = opt_out


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of up to ``BATCH`` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


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
            supervisor=_colleague(record.supervisor_key, record.tenant),
            deputy=_colleague(record.deputy_key, record.tenant),
        )
        for team in Team.objects.filter(tenant=record.tenant, key=record.key):
            changes.people_changed(team)
    return len(records)


def _colleague(key: str, tenant: str) -> Employee | None:
    """Return the employee with this user key, or None if there is none or the user belongs to another tenant."""
    user = crm.adapter().user(key) if key else None
    with crm.tenant(tenant) if tenant != crm.current_tenant() else nullcontext():
        record = crm.adapter().employee(user) if user is not None else None
    if record is None or record.tenant not in ("", tenant):
        return None
    return mirror_employee(replace(record, tenant=tenant))


Record = TypeVar("Record", crm.CustomerRecord, crm.EmployeeRecord, crm.TeamRecord)


def within(tenant: str, record: Record) -> Record:
    """Return the record with its tenant set to ``tenant``, in whose context it was read.

    Raise ConfigurationError if the record belongs to another tenant.
    """
    if not tenant:
        return record
    if record.tenant not in ("", tenant):
        kind = type(record).__name__.removesuffix("Record").lower()
        raise ConfigurationError(
            f"The CRM adapter returned {kind} {record.key!r} of tenant {record.tenant!r} in the context of {tenant!r}"
        )
    return replace(record, tenant=tenant)


def placed(record: Record | None) -> Record | None:
    """Return the record with its tenant set to the current one, or None if it belongs to another tenant.

    Also return None for a record without a tenant if the host has contexts, since users of all tenants could see it.
    """
    if record is None:
        return None
    tenant = crm.current_tenant()
    if tenant and record.tenant not in ("", tenant):
        return None
    found = replace(record, tenant=tenant or record.tenant)
    return None if not found.tenant and crm.has_contexts(crm.adapter()) else found


def staff_within(tenant: str) -> Iterator[crm.EmployeeRecord]:
    """Yield the employees of the current tenant. If several tenants share a user table, skip those of the others."""
    for record in crm.adapter().employees():
        if (not tenant or record.tenant in ("", tenant)) and not crm.is_outside(record):
            yield within(tenant, record)

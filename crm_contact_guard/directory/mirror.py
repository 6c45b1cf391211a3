"""Mirror the host's employees, customers and teams: on first use, and one by one for ``directory_sync``.

Rows are identified by the host's key. A row that the host no longer has is deactivated, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final, TypeVar

from crm_contact_guard import crm
from crm_contact_guard.directory.addresses import name_of, normalise
from crm_contact_guard.directory.models import Address, Customer, Employee, Role, Team
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import database

#: Attributes that django-hijack and django-impersonate set on an impersonated user.
_IMPERSONATED: Final = ("is_hijacked", "is_impersonate")


def employee_for(user: Any) -> Employee | None:
    """The mirrored employee of a host user, created on first use; None if the user has no role in the host.

    A user with several tenants is the employee of the current one. An impersonated user is refused, since the record
    would attribute the impersonator's actions to the user.
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
    """The mirrored customer of a host object or key, refreshed. Raises LookupError if the current tenant has none."""
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
            "active": record.active,
        },
    )
    employee.teams.set(Team.objects.filter(tenant=record.tenant, key__in=record.team_keys))
    return employee


@database.atomic()
def mirror_customer(record: crm.CustomerRecord) -> Customer:
    """Create or update one customer with addresses. Addresses that the host removed are deleted, but opt-outs kept."""
    owner = Employee.objects.filter(tenant=record.tenant, key=record.owner_key).first() if record.owner_key else None
    if owner is None and record.owner_key:
        owner = _colleague(record.owner_key, record.tenant)
    team = Team.objects.filter(tenant=record.tenant, key=record.team_key).first() if record.team_key else None
    if team is None and owner is not None:
        team = owner.teams.first()
    customer, _ = Customer.objects.update_or_create(
        tenant=record.tenant,
        key=record.key,
        defaults={
            # Some hosts return the address if there is no name.
            "name": name_of(record.name)[:255],
            "language": _whole(record.language, 16),
            "timezone": _whole(record.timezone, 64),
            "owner": owner,
            "team": team,
            "url": _whole(record.url, 500),
            "active": True,
        },
    )
    _mirror_addresses(customer, record.addresses)
    return customer


def _whole(text: str, most: int) -> str:
    """The text, or "" if it is too long, since a truncated value would be wrong."""
    return text if len(text) <= most else ""


def _mirror_addresses(customer: Customer, records: Iterable[crm.AddressRecord]) -> None:
    current: set[Any] = set()
    seen: set[tuple[str, str]] = set()
    for position, record in enumerate(records):
        normalised = normalise(record.kind, record.value)[:320]
        if not normalised or (record.kind, normalised) in seen:
            continue  # the host's first entry takes precedence
        seen.add((record.kind, normalised))
        address, new = Address.objects.update_or_create(
            customer=customer,
            kind=record.kind,
            normalised=normalised,
            defaults={"value": record.value[:320], "position": position, "learnt": False, "dropped": False},
        )
        if new:
            _copy_opt_out(address)
        current.add(address.pk)
    removed = customer.addresses.exclude(pk__in=current).filter(learnt=False)
    removed.filter(opted_out_at__isnull=True).delete()
    removed.update(dropped=True)


def _copy_opt_out(address: Address) -> None:
    """Copy an opt-out of the same address, so that it stays in force if the host moves the address to another row."""
    opted_out = (
        Address.objects.filter(kind=address.kind, normalised=address.normalised, opted_out_at__isnull=False)
        .filter(customer__tenant=address.customer.tenant)
        .exclude(pk=address.pk)
        .order_by("-opted_out_at")
        .first()
    )
    if opted_out is not None:
        address.opted_out_at, address.opted_out_by = opted_out.opted_out_at, opted_out.opted_out_by
        address.save(update_fields=["opted_out_at", "opted_out_by"])


@database.atomic()
def mirror_teams(tenant: str = "") -> int:
    """Create or update all teams with supervisor and deputy. Returns their number.

    ``tenant``: the current tenant. A host without contexts returns the teams of all tenants; others are skipped.
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
    return len(records)


def _colleague(key: str, tenant: str) -> Employee | None:
    """The employee with this user key; None if the user belongs to another tenant."""
    user = crm.adapter().user(key) if key else None
    with crm.tenant(tenant) if tenant != crm.current_tenant() else nullcontext():
        record = crm.adapter().employee(user) if user is not None else None
    if record is None or record.tenant not in ("", tenant):
        return None
    return mirror_employee(replace(record, tenant=tenant))


Record = TypeVar("Record", crm.CustomerRecord, crm.EmployeeRecord, crm.TeamRecord)


def within(tenant: str, record: Record) -> Record:
    """The record with ``tenant`` set, in whose context it was read. Raises ConfigurationError for another tenant's."""
    if not tenant:
        return record
    if record.tenant not in ("", tenant):
        kind = type(record).__name__.removesuffix("Record").lower()
        raise ConfigurationError(
            f"The CRM adapter returned {kind} {record.key!r} of tenant {record.tenant!r} in the context of {tenant!r}"
        )
    return replace(record, tenant=tenant)


def placed(record: Record | None) -> Record | None:
    """The record with the current tenant set; None if it belongs to another one.

    Also None for a record without a tenant if the host has contexts, since users of all tenants could see it.
    """
    if record is None:
        return None
    tenant = crm.current_tenant()
    if tenant and record.tenant not in ("", tenant):
        return None
    found = replace(record, tenant=tenant or record.tenant)
    return None if not found.tenant and crm.has_contexts(crm.adapter()) else found


def staff_within(tenant: str) -> Iterator[crm.EmployeeRecord]:
    """The employees of the current tenant. A user table shared by several tenants is filtered."""
    for record in crm.adapter().employees():
        if (not tenant or record.tenant in ("", tenant)) and not crm.is_outside(record):
            yield within(tenant, record)

"""Mirroring the host's people: when they first matter here, and one by one for ``directory_sync``.

Rows are looked up by the host's key; a row that the host lost is deactivated, never deleted.
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

#: What django-hijack and django-impersonate note on a user as whom somebody else acts.
_IMPERSONATED: Final = ("is_hijacked", "is_impersonate")


def employee_for(user: Any) -> Employee | None:
    """The mirrored employee of a host user, created at first sight; None when the host gives the user no role.

    Who works for several tenants is the employee of the one whose context this is. Somebody who acts as another user
    is nobody here: the record would say that the other one had written, read and decided.
    """
    if user is None or not getattr(user, "is_authenticated", False) or _is_somebody_else(user):
        return None
    known, tenant = list(Employee.objects.filter(user=user)), crm.current_tenant()
    here = [one for one in known if one.tenant == tenant] if tenant else known
    working = [one for one in here if one.active]
    if here and not working:
        return None
    if len(working) == 1:
        return working[0]
    told = crm.adapter().employee(user)
    record = placed(told) if told is not None and not crm.is_outside(told) else None
    if record is None or not record.active:
        return None
    if working:
        return next((one for one in working if one.tenant == record.tenant), None)
    teams = Team.objects.filter(tenant=record.tenant)
    known_teams = set(teams.filter(key__in=record.team_keys).values_list("key", flat=True))
    if record.role == Role.SUPERVISOR or known_teams != set(record.team_keys):
        mirror_teams(tenant)
    return mirror_employee(record)


def _is_somebody_else(user: Any) -> bool:
    return any(getattr(user, name, False) is True for name in _IMPERSONATED)


def customer_for(host_customer: object) -> Customer:
    """The mirrored customer of a host's object (or its key), refreshed. Raises LookupError when there is none, or none
    in the tenant whose context this is."""
    adapter = crm.adapter()
    key = host_customer if isinstance(host_customer, str) else adapter.customer_key(host_customer)
    record = placed(adapter.customer(key))
    if record is None:
        raise LookupError(f"The CRM has no customer {key!r}")
    return mirror_customer(record)


@database.atomic()
def mirror_employee(record: crm.EmployeeRecord) -> Employee:
    """Create or refresh one employee with their teams."""
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
    """Create or refresh one customer with addresses; addresses that the host dropped go, opt-outs stay."""
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
            # A host that has no name shows the address instead.
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
    """The text, unless it is longer than any such word: a part of it would be another one, or none."""
    return text if len(text) <= most else ""


def _mirror_addresses(customer: Customer, records: Iterable[crm.AddressRecord]) -> None:
    kept: set[Any] = set()
    seen: set[tuple[str, str]] = set()
    for position, record in enumerate(records):
        normalised = normalise(record.kind, record.value)[:320]
        if not normalised or (record.kind, normalised) in seen:
            continue  # what the host tells first counts
        seen.add((record.kind, normalised))
        address, new = Address.objects.update_or_create(
            customer=customer,
            kind=record.kind,
            normalised=normalised,
            defaults={"value": record.value[:320], "position": position, "learnt": False, "dropped": False},
        )
        if new:
            _inherit_word(address)
        kept.add(address.pk)
    gone = customer.addresses.exclude(pk__in=kept).filter(learnt=False)
    gone.filter(opted_out_at__isnull=True).delete()
    gone.update(dropped=True)


def _inherit_word(address: Address) -> None:
    """Who was told STOP by an address is not written to there because the host moved it to another row of its own."""
    told = (
        Address.objects.filter(kind=address.kind, normalised=address.normalised, opted_out_at__isnull=False)
        .filter(customer__tenant=address.customer.tenant)
        .exclude(pk=address.pk)
        .order_by("-opted_out_at")
        .first()
    )
    if told is not None:
        address.opted_out_at, address.opted_out_by = told.opted_out_at, told.opted_out_by
        address.save(update_fields=["opted_out_at", "opted_out_by"])


@database.atomic()
def mirror_teams(tenant: str = "") -> int:
    """Create or refresh all teams with supervisor and deputy. Returns their number. ``tenant``: whose context it is; a
    host without contexts shows those of all, and the others' are passed over."""
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
    """The employee with this user key; None when the user belongs to another tenant, whatever the host's rows say."""
    user = crm.adapter().user(key) if key else None
    with crm.tenant(tenant) if tenant != crm.current_tenant() else nullcontext():
        record = crm.adapter().employee(user) if user is not None else None
    if record is None or record.tenant not in ("", tenant):
        return None
    return mirror_employee(replace(record, tenant=tenant))


Record = TypeVar("Record", crm.CustomerRecord, crm.EmployeeRecord, crm.TeamRecord)


def within(tenant: str, record: Record) -> Record:
    """The record as one of ``tenant``, in whose context the host gave it. Raises ConfigurationError for another's."""
    if not tenant:
        return record
    if record.tenant not in ("", tenant):
        kind = type(record).__name__.removesuffix("Record").lower()
        raise ConfigurationError(
            f"The CRM adapter gave {kind} {record.key!r} of tenant {record.tenant!r} while in tenant {tenant!r}"
        )
    return replace(record, tenant=tenant)


def placed(record: Record | None) -> Record | None:
    """The record as one of the tenant whose context this is; None for another's, and for one that is in no tenant
    where the host has contexts: shown to all who are in none, it would be shown to strangers."""
    if record is None:
        return None
    tenant = crm.current_tenant()
    if tenant and record.tenant not in ("", tenant):
        return None
    found = replace(record, tenant=tenant or record.tenant)
    return None if not found.tenant and crm.has_contexts(crm.adapter()) else found


def staff_within(tenant: str) -> Iterator[crm.EmployeeRecord]:
    """The employees of a tenant, in whose context we are. A users' table is often everybody's: others are not meant."""
    for record in crm.adapter().employees():
        if (not tenant or record.tenant in ("", tenant)) and not crm.is_outside(record):
            yield within(tenant, record)

"""Mirroring the host's people: lazily when they first matter here, and whole by ``contact_guard_sync``.

Rows are looked up by the host's key; a row that the host lost is deactivated, never deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.db import transaction

from crm_contact_guard import crm
from crm_contact_guard.directory.addresses import normalise
from crm_contact_guard.directory.models import Address, Customer, Employee, Role, Team

#: Called for each customer that the host no longer has; upper layers register here.
GONE: Final[list[Callable[[Customer], None]]] = []


def employee_for(user: Any) -> Employee | None:
    """The mirrored employee of a host user, created at first sight; None when the host gives the user no role."""
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    known = Employee.objects.filter(user=user).first()
    if known is not None:
        return known if known.active else None
    record = crm.adapter().employee(user)
    if record is None or not record.active:
        return None
    teams = Team.objects.filter(tenant=record.tenant)
    known_teams = set(teams.filter(key__in=record.team_keys).values_list("key", flat=True))
    if record.role == Role.SUPERVISOR or known_teams != set(record.team_keys):
        mirror_teams()
    return mirror_employee(record)


def customer_for(host_customer: object) -> Customer:
    """The mirrored customer of a host's object (or its key), refreshed. Raises LookupError when there is none."""
    adapter = crm.adapter()
    key = host_customer if isinstance(host_customer, str) else adapter.customer_key(host_customer)
    record = adapter.customer(key)
    if record is None:
        raise LookupError(f"The CRM has no customer {key!r}")
    return mirror_customer(record)


@transaction.atomic
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
            "timezone": record.timezone,
            "language": record.language,
            "working_hours": dict(record.working_hours or {}),
            "active": record.active,
        },
    )
    employee.teams.set(Team.objects.filter(tenant=record.tenant, key__in=record.team_keys))
    return employee


@transaction.atomic
def mirror_customer(record: crm.CustomerRecord) -> Customer:
    """Create or refresh one customer with addresses; addresses that the host dropped go, opt-outs stay."""
    owner = Employee.objects.filter(tenant=record.tenant, key=record.owner_key).first() if record.owner_key else None
    if owner is None and record.owner_key:
        user = crm.adapter().user(record.owner_key)
        owner_record = crm.adapter().employee(user) if user is not None else None
        owner = mirror_employee(owner_record) if owner_record is not None else None
    team = Team.objects.filter(tenant=record.tenant, key=record.team_key).first() if record.team_key else None
    if team is None and owner is not None:
        team = owner.teams.first()
    customer, _ = Customer.objects.update_or_create(
        tenant=record.tenant,
        key=record.key,
        defaults={
            "name": record.name[:255],
            "language": record.language,
            "timezone": record.timezone,
            "owner": owner,
            "team": team,
            "url": record.url[:500],
            "active": True,
        },
    )
    _mirror_addresses(customer, record.addresses)
    return customer


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


@transaction.atomic
def mirror_teams() -> int:
    """Create or refresh all teams with supervisor and deputy; returns their number."""
    adapter = crm.adapter()
    count = 0
    for record in adapter.teams():
        Team.objects.update_or_create(tenant=record.tenant, key=record.key, defaults={"name": record.name[:255]})
        count += 1
    for record in adapter.teams():
        Team.objects.filter(tenant=record.tenant, key=record.key).update(
            supervisor=_by_user_key(record.supervisor_key), deputy=_by_user_key(record.deputy_key)
        )
    return count


def _by_user_key(key: str) -> Employee | None:
    if not key:
        return None
    user = crm.adapter().user(key)
    record = crm.adapter().employee(user) if user is not None else None
    return mirror_employee(record) if record is not None else None


def sync_all() -> dict[str, int]:
    """Mirror teams, employees and customers whole; people the host no longer has are deactivated.

    A host that shows nobody at all (row security answers a process without a tenant that way) deactivates nobody.
    Customers that went are told to ``GONE``, which knows what to do with their conversations.
    """
    adapter = crm.adapter()
    counts = {"teams": mirror_teams(), "employees": 0, "customers": 0}
    seen = [mirror_employee(employee).pk for employee in adapter.employees()]
    counts["employees"] = len(seen)
    if seen:
        Employee.objects.exclude(pk__in=seen).filter(active=True).update(active=False)
    present = set()
    for customer in adapter.customers():
        present.add(mirror_customer(customer).pk)
        counts["customers"] += 1
    if present:
        known = Customer.objects.filter(active=True, key__isnull=False).values_list("pk", flat=True)
        for pk in set(known.iterator()) - present:
            for told in GONE:
                told(Customer.objects.get(pk=pk))
    return counts

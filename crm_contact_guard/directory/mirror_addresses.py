"""Mirror the addresses of customers, and keep their opt-outs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from typing import Any
from uuid import UUID

from crm_contact_guard import crm
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.addresses import normalise
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.directory.writing import batches, changed_by


def mirror_addresses(customers: Sequence[tuple[Customer, Iterable[crm.AddressRecord]]], made: Set[UUID]) -> set[UUID]:
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
            elif changed_by(own[place], values):
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

"""The tenant of a record that the CRM adapter returned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from crm_contact_guard import crm
from crm_contact_guard.exceptions import ConfigurationError

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

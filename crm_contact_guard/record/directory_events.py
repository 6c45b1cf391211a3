"""Record changes to the directory: customers in batches of digests, employees and teams individually if they changed.

A customer's columns and addresses are personal, and a sync may change thousands of them. Therefore each batch gets one
event, which contains a digest of each row under the customer's salt. An erasure deletes the salt, after which nobody
can recover the values from the digests.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from crm_contact_guard.directory.models import Address, Customer, Employee, Team
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_json
from crm_contact_guard.record import following
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event

#: Kind of the events that record customers.
TOLD: Final = "directory.customers"
SALT_BYTES: Final = 16
#: Bytes of a row's digest and of a column's digest. Column digests only show which column differs.
WHOLE, PART = 16, 3
BATCH: Final = 500
#: Types whose values ``following.plain`` leaves unchanged.
_PLAIN: Final = frozenset((str, int, bool, type(None)))
CUSTOMER_COLUMNS: Final = tuple(field.attname for field in Customer._meta.concrete_fields if field.name != "salt")
#: Columns of a later version. Null is left out of digests, so that events of earlier versions stay right.
_LATER: Final = frozenset(("quiet_hours",))
ADDRESS_COLUMNS: Final = tuple(field.attname for field in Address._meta.concrete_fields)


class Recorder:
    """The listener for changes to the directory (``directory.changes``)."""

    def lock(self, customers: Collection[UUID]) -> None:
        """Lock the customers until the end of the transaction, in the order of their IDs to avoid deadlocks."""
        _locked(customers)

    def customers(self, customers: Collection[UUID]) -> None:
        """Record the customers and their addresses as they are now."""
        for part in _batches(sorted(customers)):
            _tell(part)

    def people(self, changed: Employee | Team) -> None:
        """Record the employee or team, unless the newest event already contains the same state."""
        kind = str(changed._meta.model_name)
        data: dict[str, Any] = {}
        if isinstance(changed, Employee):
            data["teams"] = sorted(str(key) for key in changed.teams.values_list("pk", flat=True))
        events = Event.objects.filter(subject_type=kind, subject_id=str(changed.pk), kind=f"{kind}.mirrored")
        newest = events.order_by("-recorded_at", "-pk").values_list("data", "details").first()
        now = canonical_json({**data, following.ROW: following.open_state(changed)})
        details = canonical_json({following.ROW: following.personal_state(changed)})
        if newest is None or (newest[0], newest[1] or details) != (now, details):
            record_event(
                kind=f"{kind}.mirrored",
                subject_type=kind,
                subject_id=changed.pk,
                actor_type=Event.ActorType.SYSTEM,
                tenant=changed.tenant,
                data=data,
                row=changed,
            )


def customers_forgotten(customers: Collection[UUID]) -> None:
    """Delete the salts of these customers, and record that their mirrored data was erased."""
    rows = Customer.objects.filter(pk__in=customers)
    rows.update(salt=None)
    for tenant, found in groupby(rows.order_by("tenant", "pk"), key=lambda row: row.tenant):
        _event(tenant, {short(row.pk): None for row in found})


def _tell(ids: Sequence[UUID]) -> None:
    rows = _locked(ids)
    fresh = [Customer(pk=row["id"], salt=os.urandom(SALT_BYTES)) for row in rows if row["salt"] is None]
    if fresh:
        Customer.objects.bulk_update(fresh, ["salt"])
    salts = {row["id"]: bytes(row["salt"] or b"") for row in rows} | {row.pk: bytes(row.salt or b"") for row in fresh}
    addresses: dict[UUID, dict[str, str]] = {key: {} for key in salts}
    for address in Address.objects.filter(customer__in=ids).order_by().values():
        key = address["customer_id"]
        addresses[key][short(address["id"])] = digest(salts[key], ADDRESS_COLUMNS, address)
    for tenant, found in groupby(sorted(rows, key=itemgetter("tenant")), key=itemgetter("tenant")):
        told = {
            short(row["id"]): [digest(salts[row["id"]], CUSTOMER_COLUMNS, row), addresses[row["id"]]] for row in found
        }
        _event(tenant, told)


def _locked(ids: Collection[UUID]) -> list[dict[str, Any]]:
    only_columns = database.connection().features.has_select_for_no_key_update
    # Messages being recorded refer to customers. On PostgreSQL, this lock doesn't make them wait.
    rows = Customer.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=only_columns)
    return list(rows.values())  # type: ignore[arg-type]


def _event(tenant: str, customers: Mapping[str, Any]) -> None:
    record_event(
        kind=TOLD,
        subject_type="directory",
        subject_id=tenant,
        actor_type=Event.ActorType.SYSTEM,
        tenant=tenant,
        data={"customers": customers},
    )


def short(key: UUID) -> str:
    """Encode an ID in 22 characters."""
    return b64encode(key.bytes).decode().rstrip("=")


def digested(columns: Sequence[str], row: Mapping[str, Any]) -> list[str]:
    """Return the columns that a row's digest covers."""
    return [name for name in columns if name not in _LATER or row[name] is not None]


def digest(salt: bytes, columns: Sequence[str], row: Mapping[str, Any]) -> str:
    """Return the digest of a row, followed by the digests of its columns, in base64."""
    told = []
    for name in digested(columns, row):
        value = row[name]
        text = value if type(value) in _PLAIN else following.plain(value)
        text = canonical_json(text) if isinstance(text, dict) else text  # databases keep members in orders of their own
        told.append(sha256(salt + f"{name}={text!r}".encode("utf-8", "replace")).digest())
    parts = b"".join([one[:PART] for one in told])
    return b64encode(sha256(salt + b"".join(told)).digest()[:WHOLE] + parts).decode()


def _batches(ids: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]

"""How the directory's tables follow from the record: they contain what was last mirrored from the host."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from crm_contact_guard.directory.models import Absence, Address, Customer, Employee, Team
from crm_contact_guard.record import directory_events as told
from crm_contact_guard.record.following import (
    BySubject,
    Elsewhere,
    Follows,
    Recorded,
    Unproven,
    follows,
    made_at,
    members,
)
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.upgrade import earlier_until

_PAGE: Final = 500
_EVENTS: Final = 50
#: Number of customers compared at a time, which takes about 100 MB.
_SLICE: Final = 100_000
_KEY: Final = Elsewhere("the events that made the row name it")
_DIGEST: Final = Elsewhere("a digest under the customer's salt in the newest event that tells of the customer")


def faults(using: str) -> Iterator[tuple[str, str]]:
    """Yield the customers and addresses that differ from what the app last wrote, and what is wrong with them."""
    earlier = earlier_until(using)
    parts = min(256, -(-Customer.objects.using(using).count() // _SLICE) or 1)
    for part in range(parts):
        newest = _newest(using, part, parts)
        for customers in _pages(Customer.objects.using(using)):
            own = [row for row in customers if row["id"].bytes[15] % parts == part]
            addresses = _addresses(using, own)
            for row in own:
                state = newest.pop(row["id"].bytes, ())
                yield from _compared(row, addresses.get(row["id"], []), state, earlier)
        for key, state in newest.items():
            if state is not None:
                yield f"customer {UUID(bytes=key)}", "was recorded and is gone"


#: A customer's newest recorded state: the digest of the row, and the digests of its addresses by short ID. None if
#: the customer was forgotten.
_State = Sequence[Any] | None


def _newest(using: str, part: int, parts: int) -> dict[bytes, _State]:
    found: dict[bytes, _State] = {}
    for data in _events(using):
        customers = members(data).get("customers")
        for key, state in customers.items() if isinstance(customers, Mapping) else ():
            raw = _raw(key)
            if raw is not None and raw[15] % parts == part and (state is None or _is_state(state)):
                found[raw] = state
    return found


def _events(using: str) -> Iterator[str]:
    """Yield the data of the events that record customers, oldest first."""
    rows = Event.objects.using(using).filter(kind=told.TOLD).order_by("recorded_at", "pk")
    after: tuple[datetime, UUID] | None = None
    while True:
        rest = (
            rows
            if after is None
            else rows.filter(Q(recorded_at__gt=after[0]) | Q(recorded_at=after[0], pk__gt=after[1]))
        )
        page = list(rest.values_list("data", "recorded_at", "pk")[:_EVENTS])
        yield from (data for data, _at, _pk in page)
        if len(page) < _EVENTS:
            return
        after = page[-1][1:]


def _raw(key: str) -> bytes | None:
    try:
        raw = b64decode(f"{key}==", validate=True)
    except ValueError:
        return None
    return raw if len(raw) == 16 else None


def _is_state(state: Any) -> bool:
    return isinstance(state, list) and len(state) == 2 and isinstance(state[1], dict)


def _pages(rows: QuerySet[Customer]) -> Iterator[Sequence[Mapping[str, Any]]]:
    after: UUID | None = None
    while True:
        page = rows if after is None else rows.filter(pk__gt=after)
        part = list(page.order_by("pk").values()[:_PAGE])
        if part:
            yield part
        if len(part) < _PAGE:
            return
        after = part[-1]["id"]


def _addresses(using: str, customers: Sequence[Mapping[str, Any]]) -> dict[UUID, list[Mapping[str, Any]]]:
    found: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in Address.objects.using(using).filter(customer__in=[row["id"] for row in customers]).order_by().values():
        found.setdefault(row["customer_id"], []).append(row)
    return found


def _compared(
    row: Mapping[str, Any], addresses: Sequence[Mapping[str, Any]], state: _State, earlier: datetime | None
) -> Iterator[tuple[str, str]]:
    where = f"customer {row['id']}"
    if state == ():
        if earlier is None or made_at(row["id"]) >= earlier:
            yield where, "is in the table, but no event made it"
        return
    if state is None:
        # The customer was forgotten. If the host still has it, the next sync records it again.
        if row["salt"] is not None:
            yield where, "salt: expected nothing, as the customer was forgotten"
        for address in addresses:
            yield f"address {address['id']}", "is in the table, but its customer was forgotten"
        return
    salt = bytes(row["salt"] or b"")
    whole, own = state[0], dict(state[1])
    yield from _differing(where, salt, row, whole)
    for address in addresses:
        recorded = own.pop(told.short(address["id"]), None)
        if recorded is None:
            yield f"address {address['id']}", f"is in the table, but no event gave it to customer {row['id']}"
        else:
            yield from _differing(f"address {address['id']}", salt, address, recorded)
    for key in own:
        raw = _raw(key)
        yield f"address {UUID(bytes=raw) if raw else key}", f"of customer {row['id']} was recorded and is gone"


def _differing(where: str, salt: bytes, row: Mapping[str, Any], recorded: Any) -> Iterator[tuple[str, str]]:
    is_customer = "merged_into_id" in row
    columns = told.CUSTOMER_COLUMNS if is_customer else told.ADDRESS_COLUMNS
    found = told.digest(salt, columns, row)
    if found == recorded:
        return
    now, then = b64decode(found), b64decode(recorded) if isinstance(recorded, str) else b""
    # A column that the row or the event leaves out is the last one.
    places = range(told.WHOLE, told.WHOLE + told.PART * len(columns), told.PART)
    names = [
        name for name, at in zip(columns, places, strict=True) if now[at : at + told.PART] != then[at : at + told.PART]
    ]
    # With a different salt, every digest differs.
    named = ["salt"] if is_customer and len(names) >= len(told.digested(columns, row)) else names
    yield where, f"{', '.join(named or columns)}: differs from what was recorded"


_RECORDED: Final = Recorded()
_PERSONAL: Final = Recorded(personal=True)

follows(
    Follows(
        model=Customer,
        columns=dict.fromkeys(
            (
                "id",
                "tenant",
                "key",
                "name",
                "language",
                "timezone",
                "owner_id",
                "team_id",
                "url",
                "active",
                "merged_into_id",
                "quiet_hours",
                "salt",
            ),
            _DIGEST,
        ),
        whole=faults,
    )
)
follows(
    Follows(
        model=Address,
        columns=dict.fromkeys(
            (
                "id",
                "customer_id",
                "kind",
                "value",
                "normalised",
                "position",
                "opted_out_at",
                "opted_out_by",
                "learnt",
                "dropped",
            ),
            _DIGEST,
        ),
    )
)
follows(
    Follows(
        model=Employee,
        events=BySubject(subject="employee", born=("employee.mirrored",), is_new=True),
        columns={
            "id": _KEY,
            "tenant": _RECORDED,
            "key": _PERSONAL,
            "user_id": _PERSONAL,
            "name": _PERSONAL,
            "email": _PERSONAL,
            "role": _RECORDED,
            "timezone": _RECORDED,
            "language": _RECORDED,
            "working_hours": _RECORDED,
            "calendar": _PERSONAL,
            "active": _RECORDED,
        },
    )
)
follows(
    Follows(
        model=Team,
        events=BySubject(subject="team", born=("team.mirrored",), is_new=True),
        columns={
            "id": _KEY,
            "tenant": _RECORDED,
            "key": _PERSONAL,
            "name": _PERSONAL,
            "supervisor_id": _RECORDED,
            "deputy_id": _RECORDED,
        },
    )
)
follows(
    Follows(
        model=Absence,
        events=BySubject(subject="absence", born=("absence.entered",), more=("absence.ended",), is_new=True),
        columns={
            "id": _KEY,
            "tenant": _RECORDED,
            "person_id": _RECORDED,
            "stand_in_id": _RECORDED,
            "starts_at": _RECORDED,
            "ends_at": _RECORDED,
            "entered_by_id": _RECORDED,
        },
    )
)


def _memberships(using: str) -> Iterator[tuple[str, str]]:
    """Yield the employees whose teams differ from those last mirrored."""
    now: dict[str, set[str]] = {}
    for employee, team in Employee.teams.through.objects.using(using).values_list("employee_id", "team_id"):
        now.setdefault(str(employee), set()).add(str(team))
    newest: dict[str, set[str]] = {}
    events = Event.objects.using(using).filter(kind="employee.mirrored").order_by("recorded_at", "pk")
    for subject, data in events.values_list("subject_id", "data"):
        newest[subject] = set(map(str, members(data).get("teams", ())))
    for subject in sorted(now.keys() | newest.keys()):
        if subject in newest and now.get(subject, set()) != newest[subject]:
            wanted, found = (sorted(teams) or "none" for teams in (newest[subject], now.get(subject, set())))
            yield f"employee {subject}", f"team_id: expected teams {wanted}, found {found}"


_TEAMS: Final = Elsewhere("the teams in the newest event of the employee")

follows(
    Follows(
        model=Employee.teams.through,
        columns={"id": Unproven("a number that nothing refers to"), "employee_id": _TEAMS, "team_id": _TEAMS},
        whole=_memberships,
    )
)

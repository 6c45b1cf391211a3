"""The access log as CSV or JSON Lines, in constant memory. The export itself is recorded before the first byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.exports import cells
from crm_contact_guard.exports.reading import BATCH
from crm_contact_guard.exports.streams import BOM, FormName, Stream
from crm_contact_guard.proof.canonical import canonical_time
from crm_contact_guard.record.access import record_export
from crm_contact_guard.record.models import Event

FORMS: Final[tuple[FormName, ...]] = ("csv", "jsonl")

#: Columns of the export, in order. ``data`` and ``details`` are JSON.
COLUMNS: Final = (
    "id",
    "recorded_at",
    "kind",
    "actor",
    "actor_name",
    "subject_type",
    "subject_id",
    "conversation",
    "customer",
    "customer_name",
    "employee",
    "employee_name",
    "reason",
    "data",
    "details",
    "leaf_hash",
)


def access_log_export(
    *, viewer: Employee, form: FormName, lookups: Mapping[str, Any], filters: Mapping[str, str]
) -> Stream:
    """Record the export, then return the accesses that the viewer may read and that match ``lookups``, oldest first.

    ``filters`` are recorded with the export. Raises NotPermitted.
    """
    if not permissions.may_read_record(viewer):
        raise NotPermitted(_("Only compliance officers and auditors read the access log."))
    event = record_export(viewer=viewer, form=f"access-log.{form}", filters=dict(filters))
    rows = permissions.access_log(viewer).filter(**lookups).filter(recorded_at__lte=event.recorded_at)
    stamp = event.recorded_at.strftime("%Y%m%dT%H%M%SZ")
    kind = "text/csv" if form == "csv" else "application/jsonl"
    return Stream(
        content_type=f"{kind}; charset=utf-8",
        file_name=f"access-log-{stamp}.{form}",
        chunks=_csv(rows) if form == "csv" else _jsonl(rows),
    )


def _csv(rows: QuerySet[Event]) -> Iterator[bytes]:
    # Excel reads Japanese only with the mark.
    yield BOM + cells.line(COLUMNS).encode()
    for batch in _batches(rows):
        yield "".join(map(cells.line, batch)).encode()


def _jsonl(rows: QuerySet[Event]) -> Iterator[bytes]:
    for batch in _batches(rows):
        lines = [dict(zip(COLUMNS, values, strict=True)) for values in batch]
        for line in lines:
            line |= {name: json.loads(line[name] or "null") for name in ("data", "details")}
        yield "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def _batches(rows: QuerySet[Event]) -> Iterator[list[tuple[str | None, ...]]]:
    names: dict[str, str] = {}
    ordered = rows.select_related("conversation__customer", "conversation__employee").order_by("id")
    after: UUID | None = None
    while batch := list((ordered if after is None else ordered.filter(id__gt=after))[:BATCH]):
        unknown = {event.actor for event in batch} - names.keys() - {""}
        people = Employee.objects.filter(pk__in=unknown) if unknown else Employee.objects.none()
        names |= {str(person.pk): person.name for person in people}
        yield [_values(event, names.get(event.actor, "")) for event in batch]
        after = batch[-1].pk


def _values(event: Event, actor_name: str) -> tuple[str | None, ...]:
    talk = event.conversation
    return (
        str(event.pk),
        canonical_time(event.recorded_at),
        event.kind,
        event.actor,
        actor_name,
        event.subject_type,
        event.subject_id,
        str(talk.pk) if talk is not None else None,
        str(talk.customer_id) if talk is not None else None,
        talk.customer.name if talk is not None else None,
        str(talk.employee_id) if talk is not None and talk.employee_id else None,
        talk.employee.name if talk is not None and talk.employee is not None else None,
        event.reason,
        event.data,
        event.details,
        bytes(event.leaf_hash).hex(),
    )

"""Select the leaves of a bundle and generate their lines, in leaf order and constant memory."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from crm_contact_guard.files.models import Attachment
from crm_contact_guard.proof.bundle_format import row_line
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record import canonical_sql
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Event
from crm_contact_guard.sealing.tree import ENTRY, ROW_KINDS, seals

_CHUNK = 2000
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which rows a bundle contains; without filters, the whole record.

    The customer and employee of an event are those of its message or conversation. The event of an erasure is included
    with the erased row.
    """

    tenant: str | None = None
    customer: UUID | None = None
    employee: UUID | None = None
    conversation: UUID | None = None
    occurred_from: datetime | None = None
    occurred_before: datetime | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in self.texts().values())

    def texts(self) -> dict[str, str | None]:
        """Return the filters as text, for the manifest and the event of the export."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: None if value is None else str(value) for name, value in values.items()}

    def rows(self, kind: RowKind) -> Q:
        """Return the condition for rows of ``kind``."""
        prefix = "" if kind == "message" else "conversation__"
        lookups = {
            "tenant": self.tenant,
            "conversation": self.conversation,
            f"{prefix}customer": self.customer,
            "occurred_at__gte": self.occurred_from,
            "occurred_at__lt": self.occurred_before,
        }
        matching = Q(**{name: value for name, value in lookups.items() if value is not None})
        if self.employee is None:
            return matching
        if kind == "message":
            return matching & (Q(employee=self.employee) | Q(conversation__employee=self.employee))
        return matching & (Q(message__employee=self.employee) | Q(conversation__employee=self.employee))


@dataclass
class Selection:
    """Those of the first ``size`` leaves that match ``filters``.

    The selection is made once and stored as one bit per leaf.
    """

    using: str
    size: int
    filters: Filters
    #: The event of this export, which is always selected, since it proves what the bundle withholds.
    export: UUID | None = None
    #: Number of sealed rows missing from the database, counted only without filters. Verification reports the details.
    missing: int = 0
    _bits: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._bits = bytearray(-(-self.size // 8))
        for start, entries in self._sealed():
            for kind in MODELS:
                positions = {row_id: at for at, (row_kind, row_id) in enumerate(entries) if row_kind == kind}
                for row_id in self._matching(kind, list(positions)):
                    index = start + positions[row_id]
                    self._bits[index >> 3] |= 1 << (index & 7)

    def leaves(self) -> Iterator[tuple[int, RowKind]]:
        """Yield the index and kind of each selected leaf."""
        for index, kind, _ in self._shown():
            yield index, kind

    def lines(self, kind: RowKind, redacted: Collection[str] = ()) -> Iterator[bytes]:
        """Yield the bundle lines for selected rows of one kind. Tampered rows are written as they are."""
        for entries in self._chunks(kind):
            rows = canonical_sql.fetch(self.using, kind, [row_id for _, row_id in entries])
            for index, row_id in entries:
                row = rows[row_id]
                yield row_line(
                    kind,
                    index,
                    open_values=row.open_values(),
                    values=row.personal(),
                    salt=row.salt,
                    digests=row.digests,
                    redacted=redacted,
                )

    def attachments(self) -> Iterator[Attachment]:
        """Yield the files of the selected messages, except erased ones."""
        for entries in self._chunks("message"):
            ids = [UUID(bytes=row_id) for _, row_id in entries]
            yield from Attachment.objects.using(self.using).filter(message__in=ids).exclude(stored_as="")

    def _matching(self, kind: RowKind, ids: list[bytes]) -> Iterator[bytes]:
        for at in range(0, len(ids), _CHUNK):
            chunk = [UUID(bytes=row_id) for row_id in ids[at : at + _CHUNK]]
            rows = MODELS[kind]._base_manager.using(self.using).filter(pk__in=chunk)
            matching = set(rows.filter(self.filters.rows(kind)).values_list("pk", flat=True))
            if not self.filters:
                self.missing += len(chunk) - len(matching)
            elif kind == "event":
                matching |= self._explaining(chunk)
            yield from (row_id.bytes for row_id in matching)

    def _explaining(self, ids: Collection[UUID]) -> set[UUID]:
        """Return those of the events ``ids`` that record this export or the erasure of a selected row."""
        found = {row_id for row_id in ids if row_id == self.export}
        erasures = Event.objects.using(self.using).filter(pk__in=ids)
        erasures = erasures.filter(kind__startswith="erasure.", subject_type__in=list(MODELS))
        erased = {(kind, row_id): pk for pk, kind, row_id in erasures.values_list("pk", "subject_type", "subject_id")}
        for kind, model in MODELS.items():
            named = [UUID(row_id) for row_kind, row_id in erased if row_kind == kind and _UUID.fullmatch(row_id)]
            if named:
                rows = model._base_manager.using(self.using).filter(self.filters.rows(kind), pk__in=named)
                found |= {erased[kind, str(row_id)] for row_id in rows.values_list("pk", flat=True)}
        return found

    def _chunks(self, kind: RowKind) -> Iterator[list[tuple[int, bytes]]]:
        chunk: list[tuple[int, bytes]] = []
        for index, row_kind, row_id in self._shown():
            if row_kind == kind:
                chunk.append((index, row_id))
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _shown(self) -> Iterator[tuple[int, RowKind, bytes]]:
        for start, entries in self._sealed():
            for at, (kind, row_id) in enumerate(entries):
                index = start + at
                if kind is not None and self._bits[index >> 3] >> (index & 7) & 1:
                    yield index, kind, row_id

    def _sealed(self) -> Iterator[tuple[int, list[tuple[RowKind | None, bytes]]]]:
        for seal in seals(self.using, until=self.size):
            rows = bytes(seal.rows)
            start = seal.size - len(rows) // ENTRY
            yield start, [(ROW_KINDS.get(rows[at]), rows[at + 1 : at + ENTRY]) for at in range(0, len(rows), ENTRY)]


def by_digest(attachments: Iterator[Attachment]) -> Iterator[tuple[str, Attachment]]:
    """Yield each distinct file once, with its SHA-256."""
    seen: set[str] = set()
    for attachment in attachments:
        if attachment.sha256 not in seen:
            seen.add(attachment.sha256)
            yield attachment.sha256, attachment

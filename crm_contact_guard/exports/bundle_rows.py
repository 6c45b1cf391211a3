"""Select the leaves of a bundle and generate their lines, in leaf order and constant memory."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q

from crm_contact_guard.exports.profiles import Redact, nothing
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.proof.bundle_format import row_line
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.tiles import ReadTile
from crm_contact_guard.record import canonical_sql
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Event
from crm_contact_guard.sealing.tree import ENTRY, ROW_KINDS, entry, gathered, leaf_indexes, seals, tile_reader

_CHUNK = 2000
#: The largest selection that is kept in memory, in rows (about 20 MB).
_FEW = 50_000
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
    channel: str | None = None
    direction: str | None = None
    kind: str | None = None
    #: A case: its own events, and the conversations that its events name.
    case: UUID | None = None
    occurred_from: datetime | None = None
    occurred_before: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.texts())

    def texts(self) -> dict[str, str]:
        """Return the filters that are set as text, for the manifest and the event of the export."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: str(value) for name, value in values.items() if value is not None}

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Filters:
        """Return the filters from their ``texts``. Raise ValueError or TypeError if they can't be read."""
        read: dict[str, Any] = dict(texts)
        for name in ("customer", "employee", "conversation", "case"):
            if name in read:
                read[name] = UUID(read[name])
        for name in ("occurred_from", "occurred_before"):
            if name in read:
                read[name] = datetime.fromisoformat(read[name])
        return cls(**read)

    def parts(self, kind: RowKind) -> list[Q]:
        """Return conditions for rows of ``kind``. A row matches if it matches one of them.

        They are separate because databases use no index for an OR across tables.
        """
        lookups = {
            "tenant": self.tenant,
            "conversation": self.conversation,
            "occurred_at__gte": self.occurred_from,
            "occurred_at__lt": self.occurred_before,
        }
        parts = [Q(**{name: value for name, value in lookups.items() if value is not None})]
        own = "" if kind == "message" else "message__"
        for name, text in (("channel", self.channel), ("direction", self.direction), ("kind", self.kind)):
            if text is not None:
                parts = [part & Q(**{f"{own}{name}": text}) for part in parts]
        # A message keeps the customer and employee of its time. The conversation's may have changed since.
        for name, value in (("customer", self.customer), ("employee", self.employee)):
            if value is not None:
                either = Q(**{f"{own}{name}": value}), Q(**{f"conversation__{name}": value})
                parts = [part & one for part in parts for one in either]
        if self.case is None:
            return parts
        about = Q(subject_type="case", subject_id=str(self.case))
        talks = Event.objects.filter(about).exclude(conversation=None).order_by().values_list("conversation")
        inside = Q(conversation__in=[talk for (talk,) in talks.distinct()])
        of_case = [part & inside for part in parts]
        return of_case if kind == "message" else [*of_case, *(part & about for part in parts)]


@dataclass
class Selection:
    """Those of the first ``size`` leaves that match ``filters``.

    The selection is made once. Few rows are looked for by the filter and kept with their leaf indexes, so that they
    cost the same in a large record. If there are many or all are wanted, the seals are walked, and one bit per leaf is
    kept.
    """

    using: str
    size: int
    filters: Filters
    #: The event of this export, which is always selected, since it proves what the bundle withholds.
    export: UUID | None = None
    #: Number of sealed rows missing from the database, counted only without filters. Verification reports the details.
    missing: int = 0
    _bits: bytearray = field(default_factory=bytearray)
    _few: list[tuple[int, RowKind, bytes]] | None = None

    def __post_init__(self) -> None:
        entries = self._sought() if self.filters else None
        if entries is not None:
            self._few = sorted(
                (index, ROW_KINDS[one[0]], one[1:])
                for index, one in leaf_indexes(self.using, entries)
                if index < self.size
            )
            return
        self._bits = bytearray(-(-self.size // 8))
        for start, sealed in self._sealed():
            for kind in MODELS:
                positions = {row_id: at for at, (row_kind, row_id) in enumerate(sealed) if row_kind == kind}
                for row_id in self._matching(kind, list(positions)):
                    index = start + positions[row_id]
                    self._bits[index >> 3] |= 1 << (index & 7)

    def read_tile(self) -> ReadTile:
        """Return ``read_tile`` for the cover of these leaves."""
        if self._few is None:
            return tile_reader(self.using)
        return gathered(self.using, (index for index, _, _ in self._few))

    def leaves(self) -> Iterator[tuple[int, RowKind]]:
        """Yield the index and kind of each selected leaf."""
        for index, kind, _ in self._shown():
            yield index, kind

    def __len__(self) -> int:
        """Return the number of selected rows."""
        return len(self._few) if self._few is not None else int.from_bytes(self._bits, "big").bit_count()

    def lines(self, kind: RowKind, redact: Redact = nothing, *, skip: int = 0) -> Iterator[bytes]:
        """Yield the bundle lines for selected rows of one kind, without the first ``skip``.

        Tampered rows are written as they are.
        """
        for entries in self._chunks(kind, skip):
            rows = canonical_sql.fetch(self.using, kind, [row_id for _, row_id in entries])
            for index, row_id in entries:
                row = rows[row_id]
                values, open_values = row.personal(), row.open_values()
                yield row_line(
                    kind,
                    index,
                    open_values=open_values,
                    values=values,
                    salt=row.salt,
                    digests=row.digests,
                    redacted=redact(kind, open_values, values),
                )

    def attachments(self) -> Iterator[Attachment]:
        """Yield the files of the selected messages, except erased ones."""
        for entries in self._chunks("message"):
            ids = [UUID(bytes=row_id) for _, row_id in entries]
            yield from Attachment.objects.using(self.using).filter(message__in=ids).exclude(stored_as="")

    def _sought(self) -> set[bytes] | None:
        """Return the entries of all rows that match, sealed or not; None if there are too many to keep."""
        ids: dict[RowKind, set[UUID]] = {kind: set() for kind in MODELS}
        for kind, model in MODELS.items():
            for part in self.filters.parts(kind):
                # Without an order, so that the database finds few rows by the filter instead of reading all by ID.
                rows = model._base_manager.using(self.using).filter(part).order_by().values_list("pk", flat=True)
                ids[kind].update(rows[: _FEW + 1])
                if sum(map(len, ids.values())) > _FEW:
                    return None
        for kind in list(ids):
            chosen = list(ids[kind])
            for at in range(0, len(chosen), _CHUNK):
                named = [str(row_id) for row_id in chosen[at : at + _CHUNK]]
                erasures = Event.objects.using(self.using).filter(subject_type=kind, subject_id__in=named)
                ids["event"].update(erasures.filter(kind__startswith="erasure.").values_list("pk", flat=True))
        if self.export is not None:
            ids["event"].add(self.export)
        return {entry(kind, row_id) for kind, found in ids.items() for row_id in found}

    def _matching(self, kind: RowKind, ids: list[bytes]) -> Iterator[bytes]:
        for at in range(0, len(ids), _CHUNK):
            chunk = [UUID(bytes=row_id) for row_id in ids[at : at + _CHUNK]]
            rows = MODELS[kind]._base_manager.using(self.using).filter(pk__in=chunk)
            matching = {
                pk for part in self.filters.parts(kind) for pk in rows.filter(part).values_list("pk", flat=True)
            }
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
                for part in self.filters.parts(kind):
                    rows = model._base_manager.using(self.using).filter(part, pk__in=named)
                    found |= {erased[kind, str(row_id)] for row_id in rows.values_list("pk", flat=True)}
        return found

    def _chunks(self, kind: RowKind, skip: int = 0) -> Iterator[list[tuple[int, bytes]]]:
        chunk: list[tuple[int, bytes]] = []
        own = ((index, row_id) for index, row_kind, row_id in self._shown() if row_kind == kind)
        for one in islice(own, skip, None):
            chunk.append(one)
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _shown(self) -> Iterator[tuple[int, RowKind, bytes]]:
        if self._few is not None:
            yield from self._few
            return
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

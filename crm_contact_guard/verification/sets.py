"""Compare the set of rows with the sets of leaves and pending rows: each row must have exactly one leaf or pending row.

The sets are compared in constant memory, by the sums of keyed hashes of their IDs. The IDs are loaded only if the sums
differ, one slice at a time, to name the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connections

from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record import canonical_sql
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Pending
from crm_contact_guard.sealing.tree import ENTRY, KINDS, seals
from crm_contact_guard.verification.keyed_sums import KeyedSums, Totals
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.rows import label

_BATCH: Final = 20_000
#: Number of IDs loaded at a time if the sums differ, which takes about 100 MB.
_SLICE: Final = 400_000

_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_IDS: Final = re.compile(r"[0-9a-f]*\Z")


class SetCheck:
    """Compares the sets within one snapshot. The first ``size`` leaves were already compared with their rows."""

    def __init__(self, using: str, report: Report, size: int) -> None:
        self._using = using
        self._report = report
        self._size = size
        self._keyed = KeyedSums(ENTRY - 1)

    def check(self) -> None:
        """Compare the sets and report the rows that differ."""
        for kind in MODELS:
            sealed, rows, pending = (
                self._sum(ids(kind)) for ids in (self._sealed_ids, self._row_ids, self._pending_ids)
            )
            if (rows != sealed + pending).any():
                before, counts = self._report.fault_count, [int(total[-1]) for total in (rows, sealed, pending)]
                self._name(kind, max(counts[0], counts[1] + counts[2]))
                if not self._report.fault_count or (counts[0] > counts[1] and before == self._report.fault_count):
                    self._report.add(
                        f"{kind}s", f"{counts[0]} rows do not match {counts[1]} leaves and {counts[2]} pending rows"
                    )

    def _sum(self, batches: Iterator[bytes]) -> Totals:
        total = self._keyed.of(b"")
        for batch in batches:
            total = total + self._keyed.of(batch)
        return total

    def _name(self, kind: RowKind, count: int) -> None:
        """Report the rows that differ, in slices by the last (random) byte of their IDs."""
        parts = -(-count // _SLICE)
        for part in range(min(256, parts)):
            sealed, rows, pending = (
                Counter(_slice(ids(kind), part, min(256, parts)))
                for ids in (self._sealed_ids, self._row_ids, self._pending_ids)
            )
            self._compare(kind, sealed, rows, pending)
            # Older leaves were already compared with their rows individually.
            new = Counter(_slice(self._sealed_ids(kind, self._size), part, min(256, parts)))
            for row_id in sorted(new.keys() - rows.keys()):
                self._add(kind, row_id, "was sealed during this check but is missing")

    def _compare(self, kind: RowKind, sealed: Counter[bytes], rows: Counter[bytes], pending: Counter[bytes]) -> None:
        for row_id in sorted(rows.keys() - sealed.keys() - pending.keys()):
            self._add(kind, row_id, "has no leaf and is not pending: it bypassed the triggers, or was unqueued")
        for row_id, times in sorted(rows.items()):
            if times > 1:
                self._add(kind, row_id, f"is in the table {times} times: a copy bypassed the primary key")
        for row_id, times in sorted(sealed.items()):
            if times > 1:
                self._add(kind, row_id, f"was sealed {times} times")
            if row_id in pending:
                self._add(kind, row_id, "is sealed and pending again")
        for row_id, times in sorted(pending.items()):
            if times > 1:
                self._add(kind, row_id, f"is pending {times} times")

    def _add(self, kind: RowKind, row_id: bytes, why: str) -> None:
        row = canonical_sql.fetch(self._using, kind, [row_id]).get(row_id)
        where = f"{kind} {UUID(bytes=row_id)}" if row is None else label(row)
        self._report.add(where, why)

    def _sealed_ids(self, kind: RowKind, start: int = 0) -> Iterator[bytes]:
        initial = KINDS[kind][0]
        for seal in seals(self._using, start=start):
            stored = np.frombuffer(bytes(seal.rows), dtype=np.uint8)
            entries = stored[: len(stored) // ENTRY * ENTRY].reshape(-1, ENTRY)
            yield entries[entries[:, 0] == initial, 1:].tobytes()

    def _row_ids(self, kind: RowKind) -> Iterator[bytes]:
        connection = connections[self._using]
        table, key, more = connection.ops.quote_name(MODELS[kind]._meta.db_table), "id", "id > %s"
        if connection.vendor == "postgresql":
            key, more = "pg_catalog.textin(pg_catalog.uuid_out(id))", "id OPERATOR(pg_catalog.>) %s::pg_catalog.uuid"
        after: str | None = None
        while True:
            condition, params = ("", []) if after is None else (f"WHERE {more}", [after])
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {key} FROM {table} {condition} ORDER BY id LIMIT {_BATCH}", params)
                batch = [str(row[0]) for row in cursor.fetchall()]
            yield self._joined(kind, batch)
            if len(batch) < _BATCH:
                return
            after = batch[-1]

    def _pending_ids(self, kind: RowKind) -> Iterator[bytes]:
        rows = Pending.objects.using(self._using).filter(row_kind=kind).values_list("row_id", flat=True)
        batch = []
        for row_id in rows.iterator(chunk_size=_BATCH):
            batch.append(row_id.bytes)
            if len(batch) == _BATCH:
                yield b"".join(batch)
                batch = []
        yield b"".join(batch)

    def _joined(self, kind: RowKind, ids: list[str]) -> bytes:
        joined = "".join(ids).replace("-", "")
        if len(joined) == 32 * len(ids) and _IDS.match(joined):
            return bytes.fromhex(joined)
        texts = [row_id.replace("-", "") for row_id in ids]
        # SQLite stores IDs as text, so a forged ID may be anything.
        for text in [text for text in texts if not _ID.match(text)]:
            self._report.add(f"{kind} {text!r}", "has an invalid id: it was changed, or the row was added")
            texts.remove(text)
        return bytes.fromhex("".join(texts))


def _slice(batches: Iterator[bytes], part: int, parts: int) -> Iterator[bytes]:
    for batch in batches:
        for at in range(0, len(batch), 16):
            if batch[at + 15] % parts == part:
                yield batch[at : at + 16]

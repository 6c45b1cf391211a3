"""Rows, leaves and notes of waiting rows as sets: each row exactly one leaf or one note, each leaf one row.

Constant memory: the sets are compared by sums of keyed hashes of their ids. Only when the sums differ are the ids
themselves gathered, a slice of them at a time, to name the rows.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connections

from crm_contact_guard.ledger.canonical_sql import MODELS
from crm_contact_guard.ledger.models import Pending
from crm_contact_guard.ledger.tree import ENTRY, KINDS, seals
from crm_contact_guard.ledger.verification_report import Report
from crm_contact_guard.proof.canonical import RowKind

_BATCH: Final = 20_000
#: Ids gathered at once when something is wrong: about 100 MB.
_SLICE: Final = 400_000

_ID: Final = re.compile(r"[0-9a-f]{32}\Z")

Words = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]


class SetCheck:
    """Compares the sets as one snapshot shows them; ``size`` leaves have been compared with their rows before."""

    def __init__(self, using: str, report: Report, size: int) -> None:
        self._using = using
        self._report = report
        self._size = size
        # Nobody who prepared the rows knows the key, so nobody can make two different sets agree.
        self._key = np.frombuffer(os.urandom(32), dtype=np.uint64) | np.uint64(1)

    def check(self) -> None:
        """Compare, and name what differs."""
        for kind in MODELS:
            sealed, rows, waiting = (
                self._sum(ids(kind)) for ids in (self._sealed_ids, self._row_ids, self._pending_ids)
            )
            if rows != ((sealed[0] + waiting[0]) % 2**64, sealed[1] + waiting[1]):
                before = self._report.fault_count
                self._name(kind, max(rows[1], sealed[1] + waiting[1]))
                if not self._report.fault_count or (rows[1] > sealed[1] and before == self._report.fault_count):
                    self._report.add(
                        f"{kind}s", f"{rows[1]} rows do not match {sealed[1]} leaves and {waiting[1]} waiting"
                    )

    def _sum(self, batches: Iterator[bytes]) -> tuple[int, int]:
        """Sum of keyed hashes, and count."""
        total, count = 0, 0
        with np.errstate(over="ignore"):
            for batch in batches:
                words = np.frombuffer(batch, dtype=np.uint64).reshape(-1, 2)
                total = (total + int(_mixed(words, self._key).sum(dtype=np.uint64))) % 2**64
                count += len(words)
        return total, count

    def _name(self, kind: RowKind, count: int) -> None:
        """Name the rows, in slices by the last (random) byte of their ids."""
        parts = -(-count // _SLICE)
        for part in range(min(256, parts)):
            sealed, rows, waiting = (
                Counter(_slice(ids(kind), part, min(256, parts)))
                for ids in (self._sealed_ids, self._row_ids, self._pending_ids)
            )
            self._compare(kind, sealed, rows, waiting)
            # Older leaves have been compared with their rows one by one.
            new = Counter(_slice(self._sealed_ids(kind, self._size), part, min(256, parts)))
            for row_id in sorted(new.keys() - rows.keys()):
                self._add(kind, row_id, "was sealed a moment ago and is gone")

    def _compare(self, kind: RowKind, sealed: Counter[bytes], rows: Counter[bytes], waiting: Counter[bytes]) -> None:
        for row_id in sorted(rows.keys() - sealed.keys() - waiting.keys()):
            self._add(kind, row_id, "has no leaf and does not wait for one: slipped in past the triggers, or dropped")
        for row_id, times in sorted(sealed.items()):
            if times > 1:
                self._add(kind, row_id, f"was sealed {times} times")
            if row_id in waiting:
                self._add(kind, row_id, "is sealed and waits to be sealed again")
        for row_id, times in sorted(waiting.items()):
            if times > 1:
                self._add(kind, row_id, f"waits for sealing {times} times")

    def _add(self, kind: RowKind, row_id: bytes, why: str) -> None:
        moment = (
            MODELS[kind].objects.using(self._using).filter(pk=UUID(bytes=row_id)).values_list("occurred_at").first()
        )
        when = f" of {moment[0]:%Y-%m-%d %H:%M}" if moment is not None else ""
        self._report.add(f"{kind} {UUID(bytes=row_id)}{when}", why)

    def _sealed_ids(self, kind: RowKind, start: int = 0) -> Iterator[bytes]:
        initial = KINDS[kind][0]
        for seal in seals(self._using, start=start):
            held = np.frombuffer(bytes(seal.rows), dtype=np.uint8)
            entries = held[: len(held) // ENTRY * ENTRY].reshape(-1, ENTRY)
            yield entries[entries[:, 0] == initial, 1:].tobytes()

    def _row_ids(self, kind: RowKind) -> Iterator[bytes]:
        connection, table = connections[self._using], MODELS[kind]._meta.db_table
        after: str | None = None
        while True:
            condition, params = ("", []) if after is None else ("WHERE id > %s", [after])
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT id FROM {table} {condition} ORDER BY id LIMIT {_BATCH}", params)
                found = [str(row[0]) for row in cursor.fetchall()]
            yield self._joined(kind, found)
            if len(found) < _BATCH:
                return
            after = found[-1]

    def _pending_ids(self, kind: RowKind) -> Iterator[bytes]:
        rows = Pending.objects.using(self._using).filter(row_kind=kind).values_list("row_id", flat=True)
        found = []
        for row_id in rows.iterator(chunk_size=_BATCH):
            found.append(row_id.bytes)
            if len(found) == _BATCH:
                yield b"".join(found)
                found = []
        yield b"".join(found)

    def _joined(self, kind: RowKind, ids: list[str]) -> bytes:
        texts = [row_id.replace("-", "") for row_id in ids]
        # SQLite keeps ids as text, so somebody with the file may have written anything.
        for text in [text for text in texts if not _ID.match(text)]:
            self._report.add(f"{kind} {text!r}", "has an id that is none: renumbered, or slipped in")
            texts.remove(text)
        return bytes.fromhex("".join(texts))


def _slice(batches: Iterator[bytes], part: int, parts: int) -> Iterator[bytes]:
    for batch in batches:
        for at in range(0, len(batch), 16):
            if batch[at + 15] % parts == part:
                yield batch[at : at + 16]


def _mixed(words: Words, key: Words) -> Words:
    """A keyed hash of 128-bit ids to 64 bits: multiply with odd secrets, then mix as SplitMix64 does."""
    mixed = words[:, 0] * key[0] ^ (words[:, 1] * key[1] + key[2])
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, int(key[3]))):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    result: Words = mixed ^ (mixed >> np.uint64(32))
    return result

"""Recorded rows against the leaves they were sealed as. Every hash is computed here, not by the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from crm_contact_guard.ledger import canonical_sql, erasures
from crm_contact_guard.ledger.canonical_sql import StoredRow
from crm_contact_guard.ledger.tree import ENTRY, ROW_KINDS
from crm_contact_guard.ledger.verification_files import FileCheck
from crm_contact_guard.ledger.verification_report import Report
from crm_contact_guard.ledger.verification_tree import Leaves
from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.bundle_format import Row, row_fault
from crm_contact_guard.proof.canonical import DIGEST_BYTES, FIELD_SALT_BYTES, NO_VALUE, OPEN, PERSONAL, RowKind
from crm_contact_guard.proof.merkle import HASH_BYTES

#: How far the time in a row may lie from the seals around it: clocks of several servers, a transaction kept open.
SLACK: Final = timedelta(hours=1)

_RECORDED: Final = {kind: names.index("recorded_at") for kind, names in OPEN.items()}


class RowCheck:
    """Compares rows with leaf hashes and says in words what differs."""

    def __init__(self, using: str, report: Report, files: FileCheck) -> None:
        self._using = using
        self._report = report
        self._files = files

    def leaves(self, leaves: Leaves) -> None:
        """Check the rows of a run of leaves."""
        found = self._fetch(leaves)
        low = _moment(leaves.after - SLACK) if leaves.after is not None else ""
        high = _moment(leaves.sealed_at + SLACK)
        erased: list[tuple[StoredRow, int]] = []
        for at in range(leaves.count):
            kind = ROW_KINDS.get(leaves.rows[at * ENTRY])
            row_id = leaves.rows[at * ENTRY + 1 : (at + 1) * ENTRY]
            if kind is None:
                self._report.add(f"leaf {leaves.start + at}", "the seal names no known kind of row")
                continue
            row = found[kind].get(row_id)
            if row is None:
                where = (
                    f"{kind} {UUID(bytes=row_id)} (leaf {leaves.start + at}, sealed {leaves.sealed_at:%Y-%m-%d %H:%M})"
                )
                self._report.add(where, "is gone")
                continue
            self._report.rows[kind] += 1
            fault, withheld = check(row, leaves.hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES])
            if fault is not None:
                self._report.add(label(row), fault)
            elif withheld:
                erased.append((row, leaves.start + at))
            if not low <= row.lines.split("\n", 11)[_RECORDED[kind]] <= high:
                self._report.add(label(row), f"claims a time of recording at which it was not sealed{_when(leaves)}")
        self.erased(row for row, _ in erased)
        self._files.check(found["message"])

    def counted(self, kind: RowKind, count: int) -> None:
        """Rows that another check found to hold."""
        self._report.rows[kind] += count

    def pending(self, kind: RowKind, notes: dict[bytes, bytes]) -> None:
        """Check rows that wait for sealing against the leaf hashes noted for them (id → hash)."""
        found = canonical_sql.fetch(self._using, kind, notes)
        for row_id, row in found.items():
            fault, withheld = check(row, notes[row_id])
            if fault is not None:
                self._report.add(label(row), f"waits for sealing; {fault}")
            elif withheld:
                self.erased([row])
        self._report.pending += len(found)
        for row_id in notes.keys() - found.keys():
            self._report.add(f"{kind} {UUID(bytes=row_id)}", "was noted for sealing and is gone")

    def erased(self, rows: Iterable[StoredRow]) -> None:
        """Rows with emptied values must be named by a recorded erasure."""
        waiting = list(rows)
        for kind in OPEN:
            ids = {row.id: row for row in waiting if row.kind == kind}
            self._report.erased += len(ids)
            for row_id in ids.keys() - erasures.recorded(self._using, kind, ids):
                names = " and ".join(_withheld(ids[row_id]))
                self._report.add(label(ids[row_id]), f"{names} emptied without a recorded erasure")

    def _fetch(self, leaves: Leaves) -> dict[RowKind, dict[bytes, StoredRow]]:
        ids: dict[RowKind, list[bytes]] = {"message": [], "event": []}
        for at in range(0, len(leaves.rows), ENTRY):
            kind = ROW_KINDS.get(leaves.rows[at])
            if kind is not None:
                ids[kind].append(leaves.rows[at + 1 : at + ENTRY])
        return {kind: canonical_sql.fetch(self._using, kind, wanted) for kind, wanted in ids.items()}


def check(row: StoredRow, sealed: bytes) -> tuple[str | None, bool]:
    """What of a row is not as sealed under the leaf hash ``sealed`` (or None), and whether values were emptied."""
    if sha256(b"\x00" + row.leaf()).digest() == sealed and row.leaf_hash == sealed:
        names, digest = PERSONAL[row.kind], row.digests[-DIGEST_BYTES:]
        values = dict(zip(names, row.values, strict=True))
        try:
            if canonical.content_digest(names, row.salt or b"", values) == digest:
                return None, False
        except (canonical.NotCanonical, UnicodeEncodeError):
            pass
    return _explain(row, sealed)


def _explain(row: StoredRow, sealed: bytes) -> tuple[str | None, bool]:
    values = row.personal()
    if (row.salt is None or len(row.salt) != FIELD_SALT_BYTES * len(values)) and any(
        value is not None for value in values.values()
    ):
        return "its salt was removed or altered while values are still there", False
    shown = _shown(row)
    try:
        fault = row_fault(shown, sealed)
    except UnicodeEncodeError:
        fault = "holds text that is no Unicode"
    if fault is None and row.leaf_hash != sealed:
        fault = "its own leaf hash differs from the sealed one"
    if fault is None and not shown.withheld:
        fault = "its salt differs from what was sealed"
    return fault, bool(shown.withheld)


def _shown(row: StoredRow) -> Row:
    names, values, salt = PERSONAL[row.kind], row.personal(), row.salt or b""
    digests = row.digests.ljust(DIGEST_BYTES * (len(names) + 1), b"\0")
    fields = {name: digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES] for at, name in enumerate(names)}
    return Row(
        kind=row.kind,
        index=0,
        open_values=row.open_values(),
        values=values,
        salts={
            name: salt[at * FIELD_SALT_BYTES : (at + 1) * FIELD_SALT_BYTES]
            for at, name in enumerate(names)
            if values[name] is not None
        },
        digests={name: digest for name, digest in fields.items() if digest != NO_VALUE},
        content=digests[len(names) * DIGEST_BYTES :],
    )


def _withheld(row: StoredRow) -> list[str]:
    return _shown(row).withheld


def label(row: StoredRow) -> str:
    """How a report names a row: ``message 8f… of 2026-11-24 09:12``."""
    return _shown(row).label


def _moment(moment: datetime) -> str:
    return canonical.canonical_time(moment)


def _when(leaves: Leaves) -> str:
    after = f"between {leaves.after:%Y-%m-%d %H:%M} and " if leaves.after is not None else ""
    return f" (sealed {after}{leaves.sealed_at:%Y-%m-%d %H:%M}): slipped in, or its clock was wrong"

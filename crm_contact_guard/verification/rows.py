"""Compare recorded rows with their sealed leaves. Every hash is computed in Python, not by the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final
from uuid import UUID

from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.bundle_format import UNNAMED, Row, row_fault
from crm_contact_guard.proof.canonical import DIGEST_BYTES, FIELD_SALT_BYTES, NO_VALUE, OPEN, PERSONAL, RowKind
from crm_contact_guard.proof.errors import NotCanonical
from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.record import canonical_sql, hashed_rows
from crm_contact_guard.record.canonical_sql import StoredRow
from crm_contact_guard.record.hashed_rows import RECORDED, Expected
from crm_contact_guard.sealing.tree import ENTRY, ROW_KINDS, SLACK
from crm_contact_guard.verification import erasures, naming
from crm_contact_guard.verification.files import FileCheck
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.tree import Leaves

_ENTRIES: Final = Struct(f"B{ENTRY - 1}s")
#: Number of rows whose altered value is searched for.
_SEARCHED: Final = 10
_FILES: Final = PERSONAL["message"].index("files")


class RowCheck:
    """Compares rows with leaf hashes and reports what differs."""

    def __init__(self, using: str, report: Report, files: FileCheck) -> None:
        self._using = using
        self._report = report
        self._files = files
        self._searched = 0

    def leaves(self, runs: Sequence[Leaves]) -> None:
        """Check the rows of a few thousand leaves."""
        wanted: dict[RowKind, dict[bytes, Expected]] = {kind: {} for kind in OPEN}
        odd: dict[RowKind, set[bytes]] = {kind: set() for kind in OPEN}
        for run in runs:
            low, high = _window(run)
            for at, (initial, row_id) in enumerate(_ENTRIES.iter_unpack(run.rows)):
                kind = ROW_KINDS.get(initial)
                if kind is None:
                    self._report.add(f"leaf {run.start + at}", "the seal names an unknown kind of row")
                    continue
                if row_id in wanted[kind]:
                    odd[kind].add(row_id)
                wanted[kind][row_id] = (run.hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES], low, high)
        files: dict[bytes, str] = {}
        for kind, expected in wanted.items():
            odd[kind] |= hashed_rows.compare(self._using, kind, expected, files)
            self._report.rows[kind] += len(expected) - len(odd[kind])
        if any(odd.values()):
            self._singly(runs, odd, files)
        self._files.check(files)

    def _singly(self, runs: Sequence[Leaves], odd: dict[RowKind, set[bytes]], files: dict[bytes, str]) -> None:
        """Check the rows with ``odd`` IDs again, value by value, in leaf order."""
        rows = {kind: canonical_sql.fetch(self._using, kind, ids) for kind, ids in odd.items()}
        erased = []
        for run in runs:
            low, high = _window(run)
            for at, (initial, row_id) in enumerate(_ENTRIES.iter_unpack(run.rows)):
                kind = ROW_KINDS.get(initial)
                if kind is None or row_id not in odd[kind]:
                    continue
                row = rows[kind].get(row_id)
                if row is None:
                    place = f"leaf {run.start + at}, sealed {run.sealed_at:%Y-%m-%d %H:%M}"
                    self._report.add(f"{kind} {UUID(bytes=row_id)} ({place})", "is missing")
                    continue
                self._report.rows[kind] += 1
                fault, withheld = self._check(row, run.hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES])
                if fault is not None:
                    self._report.add(label(row), fault)
                elif withheld:
                    erased.append(row)
                if not low <= row.line_bytes().split(b"\n", 11)[RECORDED[kind]] <= high:
                    self._report.add(label(row), f"has a recording time that does not fit its seal{_when(run)}")
                if kind == "message" and (listed := row.values[_FILES]) is not None:
                    files[row_id] = listed
        self.erased(erased)

    def counted(self, kind: RowKind, count: int) -> None:
        """Count rows that another check found intact."""
        self._report.rows[kind] += count

    def pending(self, kind: RowKind, leaf_hashes: dict[bytes, bytes]) -> None:
        """Check rows that are not sealed yet against their pending leaf hashes (ID → hash)."""
        expected = {row_id: (leaf_hash, b"", b"~") for row_id, leaf_hash in leaf_hashes.items()}
        odd = hashed_rows.compare(self._using, kind, expected, {})
        rows = canonical_sql.fetch(self._using, kind, odd)
        for row_id, row in rows.items():
            fault, withheld = self._check(row, leaf_hashes[row_id])
            if fault is not None:
                self._report.add(label(row), f"is not sealed yet; {fault}")
            elif withheld:
                self.erased([row])
        self._report.pending += len(leaf_hashes) - len(odd - rows.keys())
        for row_id in odd - rows.keys():
            self._report.add(f"{kind} {UUID(bytes=row_id)}", "is pending but missing from its table")

    def _check(self, row: StoredRow, sealed: bytes) -> tuple[str | None, bool]:
        """Call ``check``. For the first few faulty rows, also name the open value that differs; this takes time."""
        fault, withheld = check(row, sealed)
        if fault == UNNAMED and self._searched < _SEARCHED:
            self._searched += 1
            fault = naming.altered_value(self._using, row, sealed) or fault
        return fault, withheld

    def unknown(self, kind: str, row_id: UUID) -> None:
        """Report a pending row of an unknown kind. The sealer refuses to run until it is removed."""
        self._report.add(f"pending row {row_id}", f"has an unknown kind ({kind!r})")

    def erased(self, rows: Iterable[StoredRow]) -> None:
        """Check that an erasure was recorded for each of these rows, whose values were emptied."""
        emptied = list(rows)
        for kind in OPEN:
            ids = {row.id: row for row in emptied if row.kind == kind}
            self._report.erased += len(ids)
            for row_id in ids.keys() - erasures.recorded(self._using, kind, ids):
                names = " and ".join(_withheld(ids[row_id]))
                self._report.add(label(ids[row_id]), f"{names} emptied without a recorded erasure")


def check(row: StoredRow, sealed: bytes) -> tuple[str | None, bool]:
    """Return what differs between a row and its sealed leaf hash, or None, and whether values were emptied."""
    if row.format == canonical.FORMAT and sha256(b"\x00" + row.leaf()).digest() == sealed == row.leaf_hash:
        names, digest = PERSONAL[row.kind], row.digests[-DIGEST_BYTES:]
        values = dict(zip(names, row.values, strict=True))
        try:
            if canonical.content_digest(names, row.salt or b"", values) == digest:
                return None, False
        except (NotCanonical, UnicodeEncodeError):
            pass
    return _explain(row, sealed)


def _explain(row: StoredRow, sealed: bytes) -> tuple[str | None, bool]:
    values = row.personal()
    if (row.salt is None or len(row.salt) != FIELD_SALT_BYTES * len(values)) and any(
        value is not None for value in values.values()
    ):
        return "its salt was removed or altered while values are present", False
    misspelled = naming.misspelled(row)
    if misspelled is not None:
        return misspelled, False
    altered = naming.altered_digests(row, sealed)
    if altered is not None:
        return altered, False
    shown = _shown(row)
    try:
        fault = row_fault(shown, sealed)
    except UnicodeEncodeError:
        fault = "contains invalid Unicode"
    if fault is None and row.leaf_hash != sealed:
        fault = "its own leaf hash differs from the sealed one"
    if fault is None and row.format != canonical.FORMAT:
        fault = f"has format {row.format}, but was sealed in format {canonical.FORMAT}"
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
    """Return the name of a row in a report: ``message 8f… of 2026-11-24 09:12``."""
    return _shown(row).label


def _window(leaves: Leaves) -> tuple[bytes, bytes]:
    """Return the earliest and latest ``recorded_at`` allowed for the rows of a run, in the format of a leaf."""
    low = canonical.canonical_time(leaves.after - SLACK).encode() if leaves.after is not None else b""
    return low, canonical.canonical_time(leaves.sealed_at + SLACK).encode()


def _when(leaves: Leaves) -> str:
    after = f"between {leaves.after:%Y-%m-%d %H:%M} and " if leaves.after is not None else ""
    return f" (sealed {after}{leaves.sealed_at:%Y-%m-%d %H:%M}): it was backdated, or the server's clock was wrong"

"""Recorded rows against the leaves they were sealed as. Every hash is computed here, not by the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final
from uuid import UUID

from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.bundle_format import Row, row_fault
from crm_contact_guard.proof.canonical import DIGEST_BYTES, FIELD_SALT_BYTES, NO_VALUE, OPEN, PERSONAL, RowKind
from crm_contact_guard.proof.errors import NotCanonical
from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.record import canonical_sql, hashed_rows
from crm_contact_guard.record.canonical_sql import StoredRow
from crm_contact_guard.record.hashed_rows import RECORDED, Expected
from crm_contact_guard.sealing.tree import ENTRY, ROW_KINDS, SLACK
from crm_contact_guard.verification import erasures
from crm_contact_guard.verification.files import FileCheck
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.tree import Leaves

_ENTRIES: Final = Struct(f"B{ENTRY - 1}s")
_FILES: Final = PERSONAL["message"].index("files")


class RowCheck:
    """Compares rows with leaf hashes and says in words what differs."""

    def __init__(self, using: str, report: Report, files: FileCheck) -> None:
        self._using = using
        self._report = report
        self._files = files

    def leaves(self, runs: Sequence[Leaves]) -> None:
        """Check the rows of some runs of leaves, a few thousand in all."""
        wanted: dict[RowKind, dict[bytes, Expected]] = {kind: {} for kind in OPEN}
        odd: dict[RowKind, set[bytes]] = {kind: set() for kind in OPEN}
        for run in runs:
            low, high = _window(run)
            for at, (initial, row_id) in enumerate(_ENTRIES.iter_unpack(run.rows)):
                kind = ROW_KINDS.get(initial)
                if kind is None:
                    self._report.add(f"leaf {run.start + at}", "the seal names no known kind of row")
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
        """Look at the rows with ``odd`` ids again, value by value, in the order of their leaves."""
        found = {kind: canonical_sql.fetch(self._using, kind, ids) for kind, ids in odd.items()}
        erased = []
        for run in runs:
            low, high = _window(run)
            for at, (initial, row_id) in enumerate(_ENTRIES.iter_unpack(run.rows)):
                kind = ROW_KINDS.get(initial)
                if kind is None or row_id not in odd[kind]:
                    continue
                row = found[kind].get(row_id)
                if row is None:
                    place = f"leaf {run.start + at}, sealed {run.sealed_at:%Y-%m-%d %H:%M}"
                    self._report.add(f"{kind} {UUID(bytes=row_id)} ({place})", "is gone")
                    continue
                self._report.rows[kind] += 1
                fault, withheld = check(row, run.hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES])
                if fault is not None:
                    self._report.add(label(row), fault)
                elif withheld:
                    erased.append(row)
                if not low <= row.line_bytes().split(b"\n", 11)[RECORDED[kind]] <= high:
                    self._report.add(label(row), f"claims a time of recording at which it was not sealed{_when(run)}")
                if kind == "message" and (listed := row.values[_FILES]) is not None:
                    files[row_id] = listed
        self.erased(erased)

    def counted(self, kind: RowKind, count: int) -> None:
        """Rows that another check found to hold."""
        self._report.rows[kind] += count

    def pending(self, kind: RowKind, notes: dict[bytes, bytes]) -> None:
        """Check rows that wait for sealing against the leaf hashes noted for them (id → hash)."""
        odd = hashed_rows.compare(self._using, kind, {row_id: (leaf, b"", b"~") for row_id, leaf in notes.items()}, {})
        found = canonical_sql.fetch(self._using, kind, odd)
        for row_id, row in found.items():
            fault, withheld = check(row, notes[row_id])
            if fault is not None:
                self._report.add(label(row), f"waits for sealing; {fault}")
            elif withheld:
                self.erased([row])
        self._report.pending += len(notes) - len(odd - found.keys())
        for row_id in odd - found.keys():
            self._report.add(f"{kind} {UUID(bytes=row_id)}", "was noted for sealing and is gone")

    def unknown(self, kind: str, row_id: UUID) -> None:
        """A note that is of neither kind of row: the sealer refuses to go on at it."""
        self._report.add(f"note of {row_id}", f"names a kind of row that there is not ({kind!r})")

    def erased(self, rows: Iterable[StoredRow]) -> None:
        """Rows with emptied values must be named by a recorded erasure."""
        waiting = list(rows)
        for kind in OPEN:
            ids = {row.id: row for row in waiting if row.kind == kind}
            self._report.erased += len(ids)
            for row_id in ids.keys() - erasures.recorded(self._using, kind, ids):
                names = " and ".join(_withheld(ids[row_id]))
                self._report.add(label(ids[row_id]), f"{names} emptied without a recorded erasure")


def check(row: StoredRow, sealed: bytes) -> tuple[str | None, bool]:
    """What of a row is not as sealed under the leaf hash ``sealed`` (or None), and whether values were emptied."""
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
        return "its salt was removed or altered while values are still there", False
    shown = _shown(row)
    try:
        fault = row_fault(shown, sealed)
    except UnicodeEncodeError:
        fault = "holds text that is no Unicode"
    if fault is None and row.leaf_hash != sealed:
        fault = "its own leaf hash differs from the sealed one"
    if fault is None and row.format != canonical.FORMAT:
        fault = f"says it is of format {row.format}, and was sealed as one of format {canonical.FORMAT}"
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


def _window(leaves: Leaves) -> tuple[bytes, bytes]:
    """Between which times, as a leaf has them, the rows of a run must have been recorded."""
    low = canonical.canonical_time(leaves.after - SLACK).encode() if leaves.after is not None else b""
    return low, canonical.canonical_time(leaves.sealed_at + SLACK).encode()


def _when(leaves: Leaves) -> str:
    after = f"between {leaves.after:%Y-%m-%d %H:%M} and " if leaves.after is not None else ""
    return f" (sealed {after}{leaves.sealed_at:%Y-%m-%d %H:%M}): slipped in, or its clock was wrong"

"""Check the whole record: tree, signatures, witnesses, rows and foreign keys.

The database is not trusted: Python computes the hashes, keys come from settings, and witnesses store checkpoints
elsewhere. Batches and sums keep memory use constant. Rows may be recorded and sealed during the check, so sets are
compared within one snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, OperationalError, connections

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.bundle import Fault
from crm_contact_guard.proof.errors import NoteBroken
from crm_contact_guard.proof.notes import VerifierKey
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Pending
from crm_contact_guard.record.pinned import pinned
from crm_contact_guard.sealing import witnessing
from crm_contact_guard.sealing.keys import verification_keys
from crm_contact_guard.verification import erasures, foreign_keys, sql, tables, values
from crm_contact_guard.verification.files import FileCheck
from crm_contact_guard.verification.projections import comparing
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.rows import RowCheck
from crm_contact_guard.verification.sets import SetCheck
from crm_contact_guard.verification.tree import Leaves, TreeCheck, batches

__all__ = ["Fault", "Report", "verify"]

_BATCH = 2000
#: MariaDB error numbers: unknown column, and a view that refers to an invalid table or column.
_MYSQL_MISSING = (1054, 1356)


def verify(
    *,
    since: Sequence[str] = (),
    using: str | None = None,
    in_database: bool = False,
    file_contents: bool = False,
    on_fault: Callable[[Fault], None] = lambda fault: None,
    on_progress: Callable[[int, int], None] = lambda done, size: None,
) -> Report:
    """Check everything and report the faults.

    ``since``: signed checkpoints to compare with. ``in_database``: let PostgreSQL hash the rows, which is faster but
    trusts the server. ``file_contents``: also read every stored file. Raises ConfigurationError, and DatabaseError if
    the server does not respond.
    """
    alias = using or database.alias()
    report = Report(on_fault=on_fault, on_progress=on_progress)
    keys = verification_keys()
    if not keys:
        raise ConfigurationError("No key to verify with: set SIGNING_KEY or VERIFICATION_KEYS")
    rows = RowCheck(alias, report, FileCheck(alias, report, contents=file_contents))
    if in_database:
        with _guarded(alias, report, "rows, seals and tiles"), pinned(alias, snapshot=True):
            _check_in_database(alias, keys, rows, report)
    else:
        size = 0
        with _guarded(alias, report, "seals and tiles"), pinned(alias):
            tree = TreeCheck(alias, keys, report)
            size = tree.size
            for runs in _batches(tree, report):
                rows.leaves(runs)
        with _guarded(alias, report, "pending rows and the set of all rows"), pinned(alias, snapshot=True):
            _check_pending(alias, rows)
            SetCheck(alias, report, size).check()
    with _guarded(alias, report, "triggers and tables"):
        tables.check(alias, report)
    with _guarded(alias, report, "foreign keys"), pinned(alias):
        foreign_keys.check(alias, report)
    with _guarded(alias, report, "values"), pinned(alias):
        values.check(alias, report)
    with _guarded(alias, report, "erasures"), pinned(alias, snapshot=True):
        erasures.check(alias, report)
    for declared in comparing.tables():
        with _guarded(alias, report, f"table of {declared.name}"), pinned(alias, snapshot=True):
            comparing.check(alias, declared, report)
    with _guarded(alias, report, "witnesses"):
        _check_witnesses(alias, since, report)
    return report


@contextmanager
def _guarded(alias: str, report: Report, part: str) -> Iterator[None]:
    """Report unreadable data as a fault, and stop only this part of the check.

    An attacker with control of the database can store invalid values or drop a column. Errors that show that the
    server does not respond are raised.
    """
    try:
        yield
    except (AttributeError, DatabaseError, InterfaceError, OverflowError, TypeError, ValueError) as error:
        if _is_unavailable(alias, error):
            raise
        report.add(part, f"could not be checked further: invalid data, or a missing table or column ({error})")


def _is_unavailable(alias: str, error: Exception) -> bool:
    if not isinstance(error, InterfaceError | OperationalError):
        return False
    vendor = connections[alias].vendor
    if vendor == "mysql":
        return error.args[0] not in _MYSQL_MISSING if error.args else True
    return vendor != "sqlite" or "locked" in str(error)


def _batches(tree: TreeCheck, report: Report) -> Iterator[list[Leaves]]:
    for runs in batches(tree.leaves()):
        yield runs
        report.on_progress(runs[-1].start + runs[-1].count, tree.size)


def _check_in_database(alias: str, keys: Sequence[VerifierKey], rows: RowCheck, report: Report) -> None:
    """Let the server hash all rows; then check the odd ones fully, or everything if the sets differ."""
    check, odd = sql.SqlRowCheck(alias), set[int]()
    everything, tree = not check.rows(), TreeCheck(alias, keys, report)
    for number, runs in enumerate(_batches(tree, report)):
        if not everything and not check.usual(runs):
            odd.add(number)
    everything = everything or not report.holds or not check.agrees(report)
    if everything or odd:
        # Faults of the tree were already reported.
        for number, runs in enumerate(_batches(TreeCheck(alias, keys, Report()), report)):
            if everything or number in odd:
                rows.leaves(runs)
    if everything or check.odd or Pending.objects.using(alias).exclude(row_kind__in=MODELS).exists():
        _check_pending(alias, rows)
    if everything:
        SetCheck(alias, report, tree.size).check()


def _check_pending(alias: str, rows: RowCheck) -> None:
    after = 0
    while True:
        batch = list(Pending.objects.using(alias).filter(pk__gt=after).order_by("pk")[:_BATCH])
        for kind in MODELS:
            rows.pending(kind, {row.row_id.bytes: bytes(row.leaf_hash) for row in batch if row.row_kind == kind})
        for row in batch:
            if row.row_kind not in MODELS:
                rows.unknown(row.row_kind, row.row_id)
        if len(batch) < _BATCH:
            return
        after = batch[-1].pk


def _check_witnesses(alias: str, since: Sequence[str], report: Report) -> None:
    checkpoints = [("the given checkpoint", checkpoint) for checkpoint in since]
    try:
        checkpoints.extend(witnessing.latest())
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - third-party code may raise anything
        report.add("witness", f"can't be read: {error}")
    for name, checkpoint in checkpoints:
        try:
            with pinned(alias):
                report.witnessed.append((name, witnessing.compare(checkpoint, using=alias)))
        except (NoteBroken, witnessing.RecordContradicted) as error:
            report.add(f"witness {name}", str(error))

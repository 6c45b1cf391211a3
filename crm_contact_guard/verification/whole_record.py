"""Checking the whole record: tree, signatures, witnesses, rows, links.

The database is not trusted: hashes are computed here, keys come from settings, and what witnesses kept lies elsewhere.
Batches and sums keep memory constant. Rows may be recorded and sealed meanwhile: what is compared as a set is
compared in one snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.bundle import Fault
from crm_contact_guard.proof.errors import NoteBroken
from crm_contact_guard.proof.notes import VerifierKey
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Pending
from crm_contact_guard.sealing import witnessing
from crm_contact_guard.sealing.keys import verification_keys
from crm_contact_guard.verification import foreign_keys, shown, sql
from crm_contact_guard.verification.files import FileCheck
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.rows import RowCheck
from crm_contact_guard.verification.sets import SetCheck
from crm_contact_guard.verification.tree import Leaves, TreeCheck, batches

__all__ = ["Fault", "Report", "verify"]

_BATCH = 2000
#: MariaDB's numbers for a column that is not there, and for a view that no longer fits its table.
_MYSQL_LACKS = (1054, 1356)


def verify(
    *,
    since: Sequence[str] = (),
    using: str | None = None,
    in_database: bool = False,
    file_contents: bool = False,
    also: Sequence[Callable[[str, Report], None]] = (),
    on_fault: Callable[[Fault], None] = lambda fault: None,
    on_progress: Callable[[int, int], None] = lambda done, size: None,
) -> Report:
    """Check everything and report what does not hold.

    ``since``: signed checkpoints that somebody kept. ``in_database``: let PostgreSQL hash the rows' content, which is
    faster and trusts it. ``file_contents``: read every stored file as well. ``also``: checks of what layers above
    show of the record, called with alias and report within one snapshot. Raises ConfigurationError, and DatabaseError
    when the server can't be asked.
    """
    alias = using or database.alias()
    report = Report(on_fault=on_fault, on_progress=on_progress)
    keys = verification_keys()
    if not keys:
        raise ConfigurationError("No key to verify with: set SIGNING_KEY or VERIFICATION_KEYS")
    rows = RowCheck(alias, report, FileCheck(alias, report, contents=file_contents))
    if in_database:
        with _told(alias, report, "rows, seals and tiles"), _snapshot(alias):
            _check_in_database(alias, keys, rows, report)
    else:
        size = 0
        with _told(alias, report, "seals and tiles"):
            tree = TreeCheck(alias, keys, report)
            size = tree.size
            for runs in _batches(tree, report):
                rows.leaves(runs)
        with _told(alias, report, "rows that wait, and the set of all rows"), _snapshot(alias):
            _check_pending(alias, rows)
            SetCheck(alias, report, size).check()
    with _told(alias, report, "triggers, tables and links"):
        foreign_keys.check(alias, report)
    with _told(alias, report, "what is shown beside the record"), _snapshot(alias):
        shown.check(alias, report)
    for check in also:
        with _told(alias, report, "what is shown beside the record"), _snapshot(alias):
            check(alias, report)
    with _told(alias, report, "witnesses"):
        _check_witnesses(alias, since, report)
    return report


@contextmanager
def _told(alias: str, report: Report, part: str) -> Iterator[None]:
    """Who is master of the database can put anything anywhere, or take a column away: what can't even be read is a
    fault, and ends its part only. A server that does not answer is none."""
    try:
        yield
    except (AttributeError, DatabaseError, InterfaceError, OverflowError, TypeError, ValueError) as error:
        if _unanswered(alias, error):
            raise
        report.add(part, f"hold what was never written there, or lack what was; their check ended at it ({error})")


def _unanswered(alias: str, error: Exception) -> bool:
    if not isinstance(error, InterfaceError | OperationalError):
        return False
    vendor = connections[alias].vendor
    if vendor == "mysql":
        return error.args[0] not in _MYSQL_LACKS if error.args else True
    return vendor != "sqlite" or "locked" in str(error)


def _batches(tree: TreeCheck, report: Report) -> Iterator[list[Leaves]]:
    for runs in batches(tree.leaves()):
        yield runs
        report.on_progress(runs[-1].start + runs[-1].count, tree.size)


def _check_in_database(alias: str, keys: Sequence[VerifierKey], rows: RowCheck, report: Report) -> None:
    """Let the server hash all rows; then look at those it found odd, or at everything when the sets differ."""
    check, odd = sql.SqlRowCheck(alias), set[int]()
    everything, tree = not check.rows(), TreeCheck(alias, keys, report)
    for number, runs in enumerate(_batches(tree, report)):
        if not everything and not check.usual(runs):
            odd.add(number)
    everything = everything or not report.holds or not check.agrees(report)
    if everything or odd:
        # What is wrong with the tree itself has been said by now.
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
            rows.pending(kind, {note.row_id.bytes: bytes(note.leaf_hash) for note in batch if note.row_kind == kind})
        for note in batch:
            if note.row_kind not in MODELS:
                rows.unknown(note.row_kind, note.row_id)
        if len(batch) < _BATCH:
            return
        after = batch[-1].pk


def _check_witnesses(alias: str, since: Sequence[str], report: Report) -> None:
    kept = [("the checkpoint given", checkpoint) for checkpoint in since]
    try:
        kept.extend(witnessing.latest())
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - a witness is foreign code and a foreign server
        report.add("witness", f"can't be read: {error}")
    for name, checkpoint in kept:
        try:
            report.witnessed.append((name, witnessing.compare(checkpoint, using=alias)))
        except (NoteBroken, witnessing.RecordContradicted) as error:
            report.add(f"witness {name}", str(error))


@contextmanager
def _snapshot(alias: str) -> Iterator[None]:
    """All reads within see one moment, unless a transaction is under way already, whose view then holds."""
    connection = connections[alias]
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    with transaction.atomic(using=alias):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield

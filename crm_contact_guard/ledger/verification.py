"""Checking the whole record: tree, signatures, witnesses, rows, links.

The database is not trusted: hashes are computed here, keys come from settings, and what witnesses kept lies elsewhere.
Batches and sums keep memory constant. Rows may be recorded and sealed meanwhile: what is compared as a set is
compared in one snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connections, transaction

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.ledger import verification_links, verification_sql, witnessing
from crm_contact_guard.ledger.canonical_sql import MODELS
from crm_contact_guard.ledger.keys import verification_keys
from crm_contact_guard.ledger.models import Pending
from crm_contact_guard.ledger.tree import database
from crm_contact_guard.ledger.verification_files import FileCheck
from crm_contact_guard.ledger.verification_report import Report
from crm_contact_guard.ledger.verification_rows import RowCheck
from crm_contact_guard.ledger.verification_sets import SetCheck
from crm_contact_guard.ledger.verification_tree import TreeCheck
from crm_contact_guard.proof.bundle import Fault
from crm_contact_guard.proof.notes import NoteBroken

__all__ = ["Fault", "Report", "verify"]

_BATCH = 2000


def verify(
    *,
    since: Sequence[str] = (),
    using: str | None = None,
    in_database: bool = False,
    file_contents: bool = False,
    on_fault: Callable[[Fault], None] = lambda fault: None,
    on_progress: Callable[[int, int], None] = lambda done, size: None,
) -> Report:
    """Check everything and report what does not hold.

    ``since``: signed checkpoints that somebody kept. ``in_database``: let PostgreSQL hash the rows' content, which is
    faster and trusts it. ``file_contents``: read every stored file as well. Raises ConfigurationError.
    """
    alias = using or database()
    report = Report(on_fault=on_fault, on_progress=on_progress)
    keys = verification_keys()
    if not keys:
        raise ConfigurationError("No key to verify with: set SIGNING_KEY or VERIFICATION_KEYS")
    tree = TreeCheck(alias, keys, report)
    rows = RowCheck(alias, report, FileCheck(alias, report, contents=file_contents))
    check = verification_sql.SqlRowCheck(alias, rows).leaves if in_database else rows.leaves
    for leaves in tree.leaves():
        check(leaves)
        on_progress(leaves.start + leaves.count, tree.size)
    with _snapshot(alias):
        _check_pending(alias, rows)
        SetCheck(alias, report, tree.size).check()
    verification_links.check(alias, report)
    _check_witnesses(alias, since, report)
    return report


def _check_pending(alias: str, rows: RowCheck) -> None:
    after = 0
    while True:
        batch = list(Pending.objects.using(alias).filter(pk__gt=after).order_by("pk")[:_BATCH])
        for kind in MODELS:
            rows.pending(kind, {note.row_id.bytes: bytes(note.leaf_hash) for note in batch if note.row_kind == kind})
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

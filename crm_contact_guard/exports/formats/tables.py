"""``messages.csv`` and ``events.csv``. The verifier compares them with the rows (``proof.tables``)."""

from __future__ import annotations

from collections.abc import Iterator

from crm_contact_guard.exports.formats.base import Cuts, Made, Rows
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.tables import TABLES, csv_line, table_header


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield both tables."""
    for kind, name in TABLES.items():
        yield Made(name, _lines(rows, kind))


def _lines(rows: Rows, kind: RowKind) -> Iterator[bytes]:
    yield table_header(kind)
    for row in rows.of(kind):
        yield csv_line(kind, row)

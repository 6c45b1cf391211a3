"""Further renderings in a bundle, for reading and for other programs. The manifest lists each with its digest.

A format takes the rows of the bundle, after redaction, and yields files. What it can't hold is cut or replaced visibly,
and counted. The JSONL files hold everything, and only they are proof; the tables are compared with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.exports.formats import columnar, concordance, mails, rsmf, tables, transcripts, workbook
from crm_contact_guard.exports.formats.base import Attached, Cuts, Format, Rows
from crm_contact_guard.proof.bundle_writer import BundleWriter
from crm_contact_guard.proof.canonical import RowKind

__all__ = ["FORMATS", "available", "formats_add"]

#: All formats by name, in the order in which they are written.
FORMATS: Final[dict[str, Format]] = {
    "csv": Format(_("Tables (CSV)"), tables.files),
    "xlsx": Format(_("Excel workbook (XLSX)"), workbook.files),
    "parquet": Format(_("Tables for data tools (Parquet)"), columnar.files, columnar.is_available),
    "pdf": Format(_("Transcripts for reading (PDF)"), transcripts.files, transcripts.is_available),
    "eml": Format(_("One email per message (EML)"), mails.files),
    "rsmf": Format(_("E-discovery chats (RSMF 2.0)"), rsmf.files),
    "dat": Format(_("E-discovery load file (Concordance DAT)"), concordance.files),
}


def available() -> Sequence[str]:
    """Return the names of the formats that can be written here."""
    return [name for name, format_ in FORMATS.items() if format_.is_available()]


def formats_add(
    writer: BundleWriter,
    names: Sequence[str],
    lines: Callable[[RowKind], Iterator[bytes]],
    attached: Callable[[str], Iterator[Attached]] | None = None,
    beat: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Add the formats to the bundle, and return how many values each could not hold."""
    cut: dict[str, int] = {}
    chosen = [name for name in FORMATS if name in names]
    if not chosen:
        return cut
    with Rows(lines, attached, beat) as rows:
        for name in chosen:
            cuts = Cuts()
            for file in FORMATS[name].files(rows, cuts):
                writer.add(file.name, file.chunks, packed=file.packed)
            if cuts.count:
                cut[name] = cuts.count
    return cut


def labels(names: Iterable[str]) -> list[str]:
    """Return the formats' names for people."""
    return [str(FORMATS[name].label) for name in names if name in FORMATS]

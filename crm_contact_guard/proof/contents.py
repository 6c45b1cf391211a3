"""Compare a bundle's rows with its files and its manifest.

If a row names something that the bundle doesn't contain, the record itself must explain this: either by the event of
this export, which says what was withheld, or by the event of an erasure.
"""

from typing import Any, Final

from . import strict
from .bundle_format import Row
from .bundle_report import Report
from .canonical import RowKind
from .errors import FormatBroken
from .manifest import ATTACHMENTS, HASH, MANIFEST, Manifest

__all__ = ["Contents"]

_FILES: Final = strict.list_of(
    strict.object_of(
        {"name": strict.text, "type": strict.text, "size": strict.count, "sha256": HASH, "kind": strict.text}
    )
)
_EXPORT: Final = strict.object_of({"redacted": strict.list_of(strict.text), "attachments": strict.flag})


class Contents:
    """Collects the rows that match their leaves, in leaf order. Then :meth:`compare` reports the faults."""

    def __init__(self, manifest: Manifest, report: Report) -> None:
        self._manifest = manifest
        self._report = report
        self._redacted = frozenset(manifest.what["redacted"])
        #: Path of each named file in the bundle → the first message that names it.
        self._named: dict[str, str] = {}
        #: Rows that lack values which this export did not withhold, until the event of an erasure follows.
        self._unexplained: dict[tuple[str, str | None], tuple[str, list[str]]] = {}
        self._export: Row | None = None

    def take(self, row: Row) -> None:
        """Remember what this row names, withholds or explains."""
        unexplained = [name for name in row.withheld if name not in self._redacted]
        if unexplained:
            self._unexplained[row.kind, row.open_values["id"]] = (row.label, unexplained)
        if row.kind == "message":
            if row.values["files"] is not None:
                self._take_files(row, row.values["files"])
            return
        kind = row.open_values["kind"] or ""
        if kind.startswith("erasure."):
            self._unexplained.pop((row.open_values["subject_type"] or "", row.open_values["subject_id"]), None)
        elif kind == "export.bundle" and row.open_values["id"] == self._manifest.what["export"]:
            self._export = row

    def compare(self, names: set[str]) -> None:
        """Compare the rows with the manifest and with the ``names`` of the files in the bundle."""
        for label, unexplained in self._unexplained.values():
            self._report.add(
                label,
                f"{' and '.join(unexplained)} {'is' if len(unexplained) == 1 else 'are'} withheld, and neither this "
                "export nor an erasure in the record says so",
            )
        self._compare_counts()
        self._compare_export()
        self._compare_files({name for name in names if name.startswith(ATTACHMENTS)})

    def _take_files(self, row: Row, text: str) -> None:
        try:
            files = strict.load(text, of=list)
        except FormatBroken:
            files = None
        if _FILES(files, "") is not None:
            self._report.add(row.label, "names its files in a way that can't be read")
            return
        for file in files or ():
            self._named.setdefault(ATTACHMENTS + file["sha256"], row.label)

    def _compare_counts(self) -> None:
        what, rows, kinds = self._manifest.what, self._report.rows, ("message", "event")
        kind: RowKind
        for kind in kinds:  # type: ignore[assignment]  # mypy widens the tuple's items to str
            if what[f"{kind}s"] != rows[kind]:
                self._report.add(MANIFEST, f"says {what[f'{kind}s']} {kind}s, and {rows[kind]} are there")
        if what["whole"] and self._report.hidden:
            self._report.add(
                MANIFEST, f"says that this is the whole record, and {self._report.hidden} leaves are not shown"
            )
        if what["whole"] and self._manifest.filters:
            self._report.add(MANIFEST, "says that this is the whole record, and has filters")

    def _compare_export(self) -> None:
        """Compare the manifest with the event of the export, which was sealed before the bundle was made."""
        what = self._manifest.what
        if what["export"] is None and not self._redacted and what["attachments"]:
            return
        if self._export is None:
            self._report.add(MANIFEST, "names no event of its export, which would prove what was withheld")
            return
        said = _said(self._export.open_values["data"])
        if _EXPORT(said, "") is not None or (said["redacted"], said["attachments"]) != (
            what["redacted"],
            what["attachments"],
        ):
            self._report.add(MANIFEST, f"says otherwise than the export's event what was withheld: {said}")
        details = self._export.values["details"]
        if ("details" in self._export.digests) != bool(self._manifest.filters) or (
            details is not None and _said(details) != {"filters": self._manifest.filters}
        ):
            self._report.add(MANIFEST, "has other filters than the export's event")

    def _compare_files(self, there: set[str]) -> None:
        for name in sorted(there - self._named.keys()):
            self._report.add(name, "is named by no message of this bundle: it was added")
        missing = sorted(self._named.keys() - there)
        if not self._manifest.what["attachments"]:
            self._report.files_withheld = len(missing)
            return
        for name in missing:
            self._report.add(name, f"is not in the bundle, and {self._named[name]} names it: it was dropped or lost")


def _said(text: str | None) -> Any:
    try:
        return strict.load(text or "null")
    except FormatBroken:
        return None

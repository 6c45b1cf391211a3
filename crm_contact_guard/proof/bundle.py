"""Verify a bundle, using only the bundle itself, the reader's keys and the reader's older checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import IO, Final

from .archive import Archive, LineFile
from .bundle_format import PROOFS, ROWS, Row, parse_part, parse_row, row_fault
from .bundle_report import Fault, Report, printable
from .canonical import RowKind
from .contents import Contents
from .cover import Part
from .errors import ArchiveBroken, FormatBroken, KeyMalformed, NoteBroken, ProofError, SignerUnknown
from .manifest import ATTACHMENTS, KEYS, MANIFEST, SIGNATURE, VERIFY, Listed, Manifest, manifest_note
from .merkle import EMPTY_ROOT, Frontier
from .notes import Checkpoint, VerifierKey, open_checkpoint, open_note, parse_keys
from .tables import TABLES, csv_line, table_header

__all__ = ["Fault", "Report", "printable", "verify_bundle"]

_SMALL: Final = 1 << 20
_MANIFEST_LIMIT: Final = 32 << 20


class _Stop(ProofError):
    """Raised when the rest of the bundle can't be checked."""


def verify_bundle(
    file: IO[bytes],
    *,
    pinned: Sequence[VerifierKey] = (),
    since: str | None = None,
    progress: Callable[[int], None] = lambda leaves: None,
) -> Report:
    """Verify the bundle in ``file`` (seekable).

    ``pinned``: keys that the reader got from another source; without any, the bundle's own keys are trusted, and the
    report says so. ``since``: a signed checkpoint that the reader has; the bundle's record must begin with its tree.
    ``progress`` is called every few thousand leaves with their number. Never raises because of the bundle's content.
    """
    report = Report(pinned=bool(pinned))
    try:
        _Check(Archive(file), report, tuple(pinned), since, progress).run()
    except ArchiveBroken as broken:
        report.add("bundle", str(broken))
    except _Stop:
        pass
    return report


class _Check:
    def __init__(
        self,
        archive: Archive,
        report: Report,
        pinned: tuple[VerifierKey, ...],
        since: str | None,
        progress: Callable[[int], None],
    ) -> None:
        self._archive = archive
        self._report = report
        self._pinned = pinned
        self._since = since
        self._progress = progress

    def run(self) -> None:
        manifest, keys = self._signed_manifest()
        checkpoint = self._checkpoint(manifest, keys)
        self._check_listing(manifest)
        contents = Contents(manifest, self._report)
        streams = {
            kind: _RowFile(
                kind, self._archive.lines(name), self._report, contents.take, table=TABLES[kind] in manifest.files
            )
            for kind, name in ROWS.items()
        }
        root = self._merge(manifest, checkpoint, streams)
        for stream in streams.values():
            stream.drain(None)
            self._compare(manifest, stream.file.name, Listed(stream.file.sha256, stream.file.bytes, stream.file.rows))
        for kind, stream in streams.items():
            table = TABLES[kind]
            if stream.table is not None and manifest.files[table].sha256 != stream.table.hexdigest():
                self._report.add(table, f"says something else than {stream.file.name}")
        contents.compare(set(self._archive.names))
        if root != checkpoint.root:
            self._report.add(PROOFS, "does not lead to the signed root: a leaf was altered, dropped or added")

    def _signed_manifest(self) -> tuple[Manifest, tuple[VerifierKey, ...]]:
        data = self._archive.read(MANIFEST, _MANIFEST_LIMIT)
        try:
            own = parse_keys(self._archive.read(KEYS, _SMALL).decode())
        except (KeyMalformed, UnicodeDecodeError) as broken:
            raise self._stop(KEYS, str(broken)) from None
        keys = self._pinned or tuple(own)
        try:
            note = open_note(self._archive.read(SIGNATURE, _SMALL).decode(), keys)
        except SignerUnknown:
            names = ", ".join(f"{key.name} {key.fingerprint}" for key in own)
            why = (
                f"is signed by another key than the pinned one; the bundle names {names}"
                if self._pinned
                else "is not signed by a key of the bundle"
            )
            raise self._stop(SIGNATURE, why) from None
        except (NoteBroken, UnicodeDecodeError) as broken:
            raise self._stop(SIGNATURE, str(broken)) from None
        self._report.signers = note.signers
        try:
            manifest = Manifest.from_bytes(data)
        except FormatBroken as broken:
            raise self._stop(MANIFEST, str(broken)) from None
        if note.text != manifest_note(manifest.origin, data):
            raise self._stop(MANIFEST, "is not the manifest that was signed")
        self._report.manifest = manifest
        return manifest, keys

    def _checkpoint(self, manifest: Manifest, keys: tuple[VerifierKey, ...]) -> Checkpoint:
        try:
            checkpoint = open_checkpoint(manifest.checkpoint, keys, manifest.origin)
        except NoteBroken as broken:
            raise self._stop(MANIFEST, f"has a checkpoint that does not hold: {broken}") from None
        self._report.checkpoint = checkpoint
        if self._pinned and manifest.origin not in {key.name for key in self._pinned}:
            # The company may sign several records with one key.
            raise self._stop(
                MANIFEST, f"is of the record {manifest.origin}, which none of the pinned keys is named for"
            )
        if self._since is not None:
            try:
                self._report.since = open_checkpoint(self._since, keys, manifest.origin)
            except NoteBroken as broken:
                raise self._stop("your checkpoint", str(broken)) from None
            if self._report.since.size > checkpoint.size:
                raise self._stop(
                    "your checkpoint",
                    f"has {self._report.since.size} leaves, the bundle's record only {checkpoint.size}: "
                    "the bundle is older than it, or the record was rolled back",
                )
        return checkpoint

    def _check_listing(self, manifest: Manifest) -> None:
        names = set(self._archive.names) - {MANIFEST, SIGNATURE}
        for name in sorted(names - set(manifest.files)):
            self._report.add(name, "is in the bundle and not in the manifest")
        for name in sorted(set(manifest.files) - names):
            self._report.add(name, "is in the manifest and not in the bundle")
        missing = [name for name in (PROOFS, *ROWS.values()) if name not in names or name not in manifest.files]
        if missing:
            raise self._stop(missing[0], "is missing, and without it no row can be checked")
        for name in sorted(names & set(manifest.files) - set(ROWS.values())):
            digest, size = self._archive.digest(name)
            # Lines of the proofs are counted when they are read. No other file compared here is a line file.
            rows = manifest.files[name].rows if name == PROOFS else None
            self._compare(manifest, name, Listed(digest, size, rows))
            if name.startswith(ATTACHMENTS) and name != ATTACHMENTS + digest:
                self._report.add(name, "is not named by its own SHA-256, as the messages name their files")
        known = {KEYS, PROOFS, *ROWS.values(), *TABLES.values()}
        if manifest.files.get(VERIFY) == _verify_md():
            # Instructions that differ were written by the company.
            known.add(VERIFY)
        self._report.unproven = sorted(name for name in names - known if not name.startswith(ATTACHMENTS))
        if any(fault.where == PROOFS for fault in self._report.faults):
            # If the hashes were altered, comparing rows with them would report every row.
            raise _Stop

    def _compare(self, manifest: Manifest, name: str, found: Listed) -> None:
        listed = manifest.files[name]
        if found.rows != listed.rows:
            self._report.add(name, f"has {found.rows} lines, {listed.rows} when it was signed")
        if (found.sha256, found.bytes) != (listed.sha256, listed.bytes):
            self._report.add(name, "differs from what was signed")

    def _merge(self, manifest: Manifest, checkpoint: Checkpoint, streams: dict[RowKind, "_RowFile"]) -> bytes:
        frontier = Frontier()
        self._look_back(frontier)
        lines = self._archive.lines(PROOFS)
        for part in self._parts(lines, frontier):
            if part.row is None:
                self._report.hidden += part.width
                for stream in streams.values():
                    stream.drain(part.start + part.width)
            else:
                streams[part.row].take(part)
            frontier.append_subtree(part.width, part.hash)
            self._look_back(frontier)
            if frontier.size & 0xFFF == 0:
                self._progress(frontier.size)
        if lines.rows != manifest.files[PROOFS].rows:
            self._report.add(PROOFS, f"has {lines.rows} lines, {manifest.files[PROOFS].rows} when it was signed")
        since = self._report.since
        if frontier.size != checkpoint.size:
            self._report.add(PROOFS, f"covers {frontier.size} leaves of {checkpoint.size}")
        elif since is not None and not self._looked_back:
            self._report.add("your checkpoint", "cannot be compared by this bundle; ask for one exported since it")
        return frontier.root()

    _looked_back = False

    def _look_back(self, frontier: Frontier) -> None:
        since = self._report.since
        if since is None or frontier.size != since.size or self._looked_back:
            return
        self._looked_back = True
        if (frontier.root() if since.size else EMPTY_ROOT) != since.root:
            self._report.add(
                "your checkpoint", f"the record was rewritten: its first {since.size} leaves are not those you hold"
            )

    def _parts(self, lines: LineFile, frontier: Frontier) -> Iterator[Part]:
        for number, line in enumerate(lines, 1):
            try:
                part = parse_part(line)
            except FormatBroken as broken:
                raise self._stop(f"{PROOFS} line {number}", str(broken)) from None
            width = part.width
            if part.start != frontier.size or width & (width - 1) or frontier.size % width:
                raise self._stop(f"{PROOFS} line {number}", f"does not go on at leaf {frontier.size}")
            yield part

    def _stop(self, where: str, why: str) -> _Stop:
        self._report.add(where, why)
        return _Stop()


def _verify_md() -> Listed:
    data = files(__package__).joinpath(VERIFY).read_bytes()
    return Listed(sha256(data).hexdigest(), len(data))


class _RowFile:
    """A row file, read in parallel with the leaves."""

    def __init__(
        self, kind: RowKind, file: LineFile, report: Report, take: Callable[[Row], None], *, table: bool
    ) -> None:
        self.file = file
        #: The hash of the table that these lines make, if the bundle contains the table.
        self.table = sha256(table_header(kind)) if table else None
        self._kind = kind
        self._report = report
        self._take = take
        self._lines = iter(file)
        self._last = -1
        self._next: Row | None = None
        self._advance()

    def take(self, part: Part) -> None:
        """Check that the next row is this leaf."""
        self.drain(part.start)
        row = self._next
        if row is None or row.index != part.start:
            self._report.add(
                f"leaf {part.start}",
                f"{self._kind} is not in {self.file.name}, though the proofs list it: it was dropped",
            )
            return
        fault = row_fault(row, part.hash)
        if fault:
            self._report.add(row.label, fault)
        else:
            self._take(row)
        self._report.rows[self._kind] += 1
        self._report.withheld += len(row.withheld)
        self._advance()

    def drain(self, before: int | None) -> None:
        """Report the rows with an index below ``before`` (all if None), because the proofs list no leaf for them."""
        while self._next is not None and (before is None or self._next.index < before):
            self._report.add(
                self._next.label, f"is not in the record at leaf {self._next.index}: it was added or moved"
            )
            self._advance()

    def _advance(self) -> None:
        self._next = None
        for line in self._lines:
            try:
                row = parse_row(self._kind, line)
            except FormatBroken as broken:
                self._report.add(f"{self.file.name} line {self.file.rows}", str(broken))
                continue
            if self.table is not None:
                self.table.update(csv_line(self._kind, row.members()))
            if row.index <= self._last:
                self._report.add(
                    row.label, f"stands at leaf {row.index} after leaf {self._last}: it was doubled or moved"
                )
                continue
            self._last = row.index
            self._next = row
            return

"""Write a bundle as a stream: files with their checksums, then the signed manifest."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import IO, Any, Final

from .bundle_format import PROOFS, ROWS, part_line
from .canonical import RowKind
from .cover import Part
from .manifest import KEYS, MANIFEST, SIGNATURE, VERIFY, Listed, Manifest, manifest_note
from .notes import Checkpoint, SigningKey, VerifierKey

__all__ = ["BundleWriter"]

_MOMENT: Final = (1980, 1, 1, 0, 0, 0)


class BundleWriter:
    """Writes one bundle. Add the rows of both kinds, the proofs and any other files, then call :meth:`finish`.

    ``file`` is written sequentially and need not be seekable. Memory use does not depend on the number of rows.
    """

    def __init__(self, file: IO[bytes], *, level: int = 6) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=level)
        self._level = level
        self._files: dict[str, Listed] = {}

    def __enter__(self) -> "BundleWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            # An unfinished zip must not get a directory, and its file may be closed before it is collected.
            self._zip.fp = None

    def add_rows(self, kind: RowKind, lines: Iterable[bytes]) -> int:
        """Write a row file from :func:`.bundle_format.row_line`'s lines, by ascending index. Return their number."""
        return self._add(ROWS[kind], lines, count=True)

    def add_proofs(self, parts: Iterable[Part]) -> int:
        """Write ``proofs.jsonl`` from :func:`.cover.cover` of exactly these rows. Return the number of parts."""
        return self._add(PROOFS, map(part_line, parts), count=True)

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool = False) -> None:
        """Write any other file. ``packed`` files (images, zips) are stored without compression."""
        self._add(name, chunks, packed=packed)

    def finish(
        self,
        *,
        checkpoint: str,
        key: SigningKey,
        keys: Sequence[VerifierKey],
        created_at: str,
        what: Mapping[str, Any],
        filters: Mapping[str, Any],
    ) -> Manifest:
        """Add keys, instructions, manifest and signature, and close the zip.

        ``checkpoint`` is the signed tree head of the proofs. ``keys`` are all verifier keys of the record; the verifier
        key that belongs to the signing ``key`` is written first.
        """
        ordered = [key.verifier, *(other for other in keys if other != key.verifier)]
        self._add(KEYS, [f"{verifier.to_text()}\n".encode() for verifier in ordered])
        self._add(VERIFY, [files(__package__).joinpath(VERIFY).read_bytes()])
        manifest = Manifest(
            origin=Checkpoint.from_text(checkpoint.rpartition("\n\n")[0] + "\n").origin,
            created_at=created_at,
            checkpoint=checkpoint,
            files=self._files,
            what=what,
            filters=filters,
        )
        data = manifest.to_bytes()
        self._write(MANIFEST, [data])
        self._write(SIGNATURE, [key.sign(manifest_note(manifest.origin, data)).encode()])
        self._zip.close()
        return manifest

    def _add(self, name: str, chunks: Iterable[bytes], *, count: bool = False, packed: bool = False) -> int:
        if name in self._files:
            raise ValueError(f"{name} is already in the bundle")
        digest, size, rows = self._write(name, chunks, packed=packed)
        self._files[name] = Listed(digest, size, rows if count else None)
        return rows

    def _write(self, name: str, chunks: Iterable[bytes], *, packed: bool = False) -> tuple[str, int, int]:
        info = zipfile.ZipInfo(name, _MOMENT)
        info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        info._compresslevel = self._level  # type: ignore[attr-defined]  # public only from 3.13
        info.external_attr = 0o100644 << 16
        hashed, size, rows = sha256(), 0, 0
        with self._zip.open(info, "w", force_zip64=True) as entry:
            for chunk in chunks:
                entry.write(chunk)
                hashed.update(chunk)
                size += len(chunk)
                rows += 1
        return hashed.hexdigest(), size, rows

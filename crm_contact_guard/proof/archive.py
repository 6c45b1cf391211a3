"""Read a zip from an untrusted source, as a stream, and only if it is unambiguous."""

import io
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import IO, Final

from .errors import ArchiveBroken
from .zip_layout import layout_fault

__all__ = ["Archive", "LineFile"]

_LINE_LIMIT: Final = 32 << 20
_BUFFER: Final = 1 << 20
_ENTRY_LIMIT: Final = 1 << 20
_RATIO_LIMIT: Final = 200
_ENCRYPTED: Final = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Archive:
    """The files of a zip by name. Every method may raise ArchiveBroken, with the reason."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGED as damage:
            raise ArchiveBroken(f"is not a readable zip: {damage}") from None
        entries = self._zip.infolist()
        if len(entries) > _ENTRY_LIMIT:
            raise ArchiveBroken("has too many files")
        self._entries: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for entry in entries:
            fault = _entry_fault(entry)
            if fault:
                raise ArchiveBroken(f"{entry.orig_filename!r} {fault}")
            plain = unicodedata.normalize("NFKC", entry.filename).casefold()
            if plain in folded:
                raise ArchiveBroken(f"{entry.filename!r} is there twice")
            folded.add(plain)
            self._entries[entry.filename] = entry
        try:
            fault = layout_fault(file, entries, self._zip.start_dir)
        except _DAMAGED as damage:
            raise ArchiveBroken(f"is not a readable zip: {damage}") from None
        if fault:
            raise ArchiveBroken(fault)

    @property
    def names(self) -> list[str]:
        """Names in the order of the zip's directory."""
        return list(self._entries)

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a small file, at most ``limit`` bytes."""
        with self._open(name) as stream:
            data = self._guard(name, stream, limit + 1)
            _check_end(name, stream, whole=len(data) <= limit)
        if len(data) > limit:
            raise ArchiveBroken(f"{name} is longer than {limit} bytes")
        return data

    def digest(self, name: str) -> tuple[str, int]:
        """Return the SHA-256 (in hex) and the size of a file."""
        hashed, size = sha256(), 0
        with self._open(name) as stream:
            while chunk := self._guard(name, stream, _BUFFER):
                hashed.update(chunk)
                size += len(chunk)
            _check_end(name, stream)
        return hashed.hexdigest(), size

    def lines(self, name: str) -> "LineFile":
        """Open a file to be read line by line."""
        return LineFile(name, self._open(name))

    def _open(self, name: str) -> IO[bytes]:
        if name not in self._entries:
            raise ArchiveBroken(f"{name} is missing")
        try:
            return self._zip.open(self._entries[name])
        except _DAMAGED as damage:
            raise ArchiveBroken(f"{name} cannot be read: {damage}") from None

    @staticmethod
    def _guard(name: str, stream: IO[bytes], size: int) -> bytes:
        try:
            return stream.read(size)
        except _DAMAGED as damage:
            raise ArchiveBroken(f"{name} cannot be read: {damage}") from None


class LineFile:
    """The lines of a file with their line feeds. The hash and the counts are complete after the last line."""

    def __init__(self, name: str, stream: IO[bytes]) -> None:
        self.name = name
        self.rows = 0
        self.bytes = 0
        self._hash = sha256()
        self._stream = io.BufferedReader(stream, _BUFFER)  # type: ignore[type-var]  # ZipExtFile has readinto

    @property
    def sha256(self) -> str:
        """SHA-256 in hex of the lines read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                line = self._stream.readline(_LINE_LIMIT)
            except _DAMAGED as damage:
                raise ArchiveBroken(f"{self.name} cannot be read: {damage}") from None
            if not line:
                _check_end(self.name, self._stream.raw)
                return
            self._hash.update(line)
            self.bytes += len(line)
            self.rows += 1
            if not line.endswith(b"\n"):
                raise ArchiveBroken(f"{self.name} has a line {self.rows} that does not end, or is too long")
            yield line


def _check_end(name: str, stream: IO[bytes], *, whole: bool = True) -> None:
    """Check that the compressed data ends where the file does, since other programs might read trailing data."""
    packed = getattr(stream, "_decompressor", None)
    if whole and packed is not None and (not packed.eof or packed.unused_data or getattr(stream, "_compress_left", 0)):
        raise ArchiveBroken(f"{name} has data behind its end")


def _entry_fault(entry: zipfile.ZipInfo) -> str | None:
    name = entry.orig_filename
    parts = name.split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    faults = {
        "has a name that leads out of the bundle": name.startswith("/") or ".." in parts or "\\" in name or ":" in name,
        # Windows ignores trailing dots and spaces, and therefore sees another name.
        "has a name that no bundle has": any(part.rstrip(". ") != part or not part for part in parts)
        or not name.isprintable(),
        "is not a plain file": kind not in {0, stat.S_IFREG},
        "is encrypted": bool(entry.flag_bits & _ENCRYPTED),
        "is packed by an unknown method": entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED},
        "unpacks to far more than it is": entry.file_size > _BUFFER + _RATIO_LIMIT * entry.compress_size,
    }
    return next((fault for fault, found in faults.items() if found), None)

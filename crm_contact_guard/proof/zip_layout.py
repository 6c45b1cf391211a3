"""Check that a zip is unambiguous (PKWARE APPNOTE 6.3.10, §4.3).

Programs that use the central directory and programs that stream the zip from the start must see the same files with the
same contents.

Entries must follow each other without gaps, local headers must match the central directory, and nothing may follow the
end record. Otherwise a second ``messages.jsonl`` could be hidden where only some programs look.
"""

import struct
import zipfile
from collections.abc import Sequence
from typing import IO, Final

__all__ = ["layout_fault"]

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_SIGNATURE: Final = b"PK\x07\x08"
_STREAMED: Final = 0x8
_UTF8: Final = 0x800
_ZIP64: Final = 0x1
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
#: Info-ZIP's Unicode path and comment fields, which give a file another name in readers that support them.
_RENAMING: Final = {0x7075, 0x6375}


def layout_fault(file: IO[bytes], entries: Sequence[zipfile.ZipInfo], directory: int) -> str | None:
    """Return why the zip in ``file`` is ambiguous, or None. ``directory`` is the offset of its central directory."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    ends = [*(entry.header_offset for entry in ordered[1:]), directory]
    expected = 0
    for entry, end in zip(ordered, ends, strict=True):
        if entry.header_offset != expected:
            return f"{entry.filename!r} overlaps another file or has data in front of it"
        fault = _entry_fault(file, entry, end)
        if fault:
            return f"{entry.filename!r} {fault}"
        expected = end
    if not ordered and directory:
        return "has data in front of it"
    return _end_fault(file, len(entries), directory)


def _entry_fault(file: IO[bytes], entry: zipfile.ZipInfo, end: int) -> str | None:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size:
        return "ends within its header"
    signature, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack(header)
    name, extra = file.read(name_size), _extra(file.read(extra_size))
    central = _extra(entry.extra)
    if extra is None or central is None or _RENAMING & (extra.keys() | central.keys()):
        return "has a second name, or extra fields that can't be read"
    listed = entry.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437", "replace")
    if not flags & _UTF8 and not listed.isascii():
        return "has a name that programs read differently"
    if (signature, flags, method, name) != (b"PK\x03\x04", entry.flag_bits, entry.compress_type, listed):
        return "is described otherwise in front of it than in the directory"
    long = extra.get(_ZIP64, b"")
    if size == packed == _FULL32 and len(long) >= 16:
        size, packed = struct.unpack("<QQ", long[:16])
    rest = end - (entry.header_offset + _LOCAL.size + name_size + extra_size + entry.compress_size)
    return _sums_fault(file, entry, (crc, packed, size), end, rest)


def _sums_fault(
    file: IO[bytes], entry: zipfile.ZipInfo, front: tuple[int, int, int], end: int, rest: int
) -> str | None:
    """Compare checksum and sizes in the local header (``front``) and in the ``rest`` bytes after the packed data."""
    sums = (entry.CRC, entry.compress_size, entry.file_size)
    streamed = bool(entry.flag_bits & _STREAMED)
    if any(found != true and not (streamed and found == 0) for found, true in zip(front, sums, strict=True)):
        return "is described otherwise in front of it than in the directory"
    if rest not in ((12, 16, 20, 24) if streamed else (0,)):
        return "overlaps another file or has data behind it"
    file.seek(end - rest)
    if streamed and file.read(rest) not in _descriptors(*sums):
        return "is described otherwise behind it than in the directory"
    return None


def _descriptors(crc: int, packed: int, size: int) -> list[bytes]:
    descriptors = [struct.pack("<IQQ", crc, packed, size)]
    if max(packed, size) <= _FULL32:
        descriptors.append(struct.pack("<III", crc, packed, size))
    return descriptors + [_SIGNATURE + descriptor for descriptor in descriptors]


def _extra(data: bytes) -> dict[int, bytes] | None:
    fields: dict[int, bytes] = {}
    while data:
        if len(data) < 4:
            return None
        kind, size = struct.unpack("<HH", data[:4])
        if kind in fields or len(data) < 4 + size:
            return None
        fields[kind], data = data[4 : 4 + size], data[4 + size :]
    return fields


def _end_fault(file: IO[bytes], count: int, directory: int) -> str | None:
    file.seek(directory)
    for _ in range(count):
        header = file.read(_CENTRAL.size)
        if len(header) < _CENTRAL.size:
            return "has a directory that is cut"
        parts = _CENTRAL.unpack(header)
        if parts[0] != b"PK\x01\x02":
            return "has a directory that can't be read"
        file.read(sum(parts[10:13]))
    end_offset = file.tell()
    end = file.read(_END64.size + _LOCATOR.size + _END.size + 1)
    if len(end) == _END64.size + _LOCATOR.size + _END.size:
        long, locator = _END64.unpack(end[: _END64.size]), _LOCATOR.unpack(end[_END64.size : -_END.size])
        if long[0] != b"PK\x06\x06" or long[6:] != (count, count, end_offset - directory, directory):
            return "ends otherwise than its directory says"
        if locator != (b"PK\x06\x07", 0, end_offset, 1):
            return "ends otherwise than its directory says"
    elif len(end) != _END.size:
        return "has data behind its directory, or a comment"
    signature, disk, start, here, total, size, offset, comment = _END.unpack(end[-_END.size :])
    fields = ((here, count, _FULL16), (total, count, _FULL16), (size, end_offset - directory, _FULL32))
    if (signature, disk, start, comment) != (b"PK\x05\x06", 0, 0, 0) or offset not in (directory, _FULL32):
        return "ends otherwise than its directory says"
    return (
        None if all(value in (true, full) for value, true, full in fields) else "ends otherwise than its directory says"
    )

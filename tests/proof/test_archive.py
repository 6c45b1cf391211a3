"""Malicious and damaged zips are refused with a reason, without unbounded unpacking and without a crash."""

import io
import random
import resource
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_contact_guard.proof.archive import Archive
from crm_contact_guard.proof.errors import ArchiveBroken
from tests.proof.bundles import KEY, relist, rezip, sample, unzip, verify

FILES = unzip(sample(files=[b"%PDF"]).bundle())
Pack = Callable[[zipfile.ZipFile], None]


def packed(more: Pack) -> bytes:
    """The genuine files and those added by ``more``."""
    out = io.BytesIO(rezip(FILES))
    with zipfile.ZipFile(out, "a") as archive:
        more(archive)
    return out.getvalue()


def named(name: str) -> Pack:
    return lambda archive: archive.writestr(zipfile.ZipInfo(name), b"x")


def doubled(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("messages.jsonl", b"")


def linked(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, b"/etc/passwd")


def deflated_bomb(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("attachments/zeros")
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, bytes(64 << 20))


def other_method(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("attachments/odd")
    info.compress_type = zipfile.ZIP_BZIP2
    archive.writestr(info, b"x" * 1000)


def with_flag(data: bytes, flag: int) -> bytes:
    """Set a general-purpose flag in the last directory entry."""
    at = data.rfind(b"PK\x01\x02")
    return data[: at + 8] + bytes([data[at + 8] | flag]) + data[at + 9 :]


def overlapping() -> bytes:
    """Two directory entries that point at the same data."""
    data = rezip(FILES)
    first = data.find(b"PK\x01\x02")
    second = data.find(b"PK\x01\x02", first + 4)
    return data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]


def hidden_between() -> bytes:
    """A second messages.jsonl without a directory entry, which only a streaming reader sees."""
    data = rezip(FILES)
    first = data.find(b"PK\x01\x02")
    second = data.find(b"PK\x03\x04", 4)
    lie = io.BytesIO()
    with zipfile.ZipFile(lie, "w") as archive:
        archive.writestr("messages.jsonl", b"{}\n")
    extra = lie.getvalue()[: lie.getvalue().find(b"PK\x01\x02")]
    moved = bytearray(data[:second] + extra + data[second:first])
    directory, at = bytearray(data[first:]), 0
    while directory[at : at + 4] == b"PK\x01\x02":
        offset = int.from_bytes(directory[at + 42 : at + 46], "little")
        if offset >= second:
            directory[at + 42 : at + 46] = (offset + len(extra)).to_bytes(4, "little")
        at += 46 + sum(int.from_bytes(directory[at + part : at + part + 2], "little") for part in (28, 30, 32))
    start = int.from_bytes(directory[at + 16 : at + 20], "little") + len(extra)
    directory[at + 16 : at + 20] = start.to_bytes(4, "little")
    return bytes(moved + directory)


def in_front(offset: int, value: bytes) -> bytes:
    """Change bytes of the first local header, but not of the directory."""
    data = rezip(FILES)
    return data[:offset] + value + data[offset + len(value) :]


def renamed(archive: zipfile.ZipFile) -> None:
    """Info-ZIP's extra field for another name (APPNOTE 4.6.9)."""
    info = zipfile.ZipInfo("attachments/plain")
    name = b"other.txt"
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"attachments/plain")) + name
    archive.writestr(info, b"x")


def packed_longer() -> bytes:
    """Deflated data followed by more data within the entry."""
    squeezed = zlib.compress(b"VERIFY", wbits=-15)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("public_key.txt")
        archive.writestr(info, squeezed + b"PK\x03\x04 another file")
    data = bytearray(out.getvalue())
    for header, method, crc, size in ((0, 8, 14, 22), (data.find(b"PK\x01\x02"), 10, 16, 24)):
        data[header + method] = zipfile.ZIP_DEFLATED
        data[header + crc : header + crc + 4] = zlib.crc32(b"VERIFY").to_bytes(4, "little")
        data[header + size : header + size + 4] = (6).to_bytes(4, "little")
    return bytes(data)


HOSTILE = {
    "data behind": (rezip(FILES) + b"PK", "has data behind its directory"),
    "another zip behind": (rezip(FILES) + rezip({"manifest.json": b"{}"}), "has data in front of it"),
    "hidden between": (hidden_between(), "overlaps another file or has data"),
    "another name in front": (in_front(30, b"X"), "is described otherwise"),
    "another size in front": (in_front(22, b"\0\0\0\1"), "is described otherwise"),
    "another checksum in front": (in_front(14, b"\1\2\3\4"), "is described otherwise"),
    "another method in front": (in_front(8, b"\0"), "is described otherwise"),
    "another name in an extra field": (packed(renamed), "has a second name"),
    "ends in a dot": (packed(named("messages.jsonl.")), "has a name that no bundle has"),
    "ends in a space": (packed(named("messages.jsonl ")), "has a name that no bundle has"),
    "wide letters": (packed(named("\uff4dessages.jsonl")), "is there twice"),
    "no zip": (b"not a zip at all", "is not a readable zip"),
    "empty": (b"", "is not a readable zip"),
    "cut": (rezip(FILES)[:-100], "is not a readable zip"),
    "leads upwards": (packed(named("attachments/../../etc/cron.d/x")), "leads out of the bundle"),
    "absolute": (packed(named("/etc/passwd")), "leads out of the bundle"),
    "backslashes": (packed(named("..\\x.exe")), "leads out of the bundle"),
    "drive": (packed(named("c:x.exe")), "leads out of the bundle"),
    "folder": (packed(named("attachments/")), "has a name that no bundle has"),
    "dot": (packed(named("./messages.jsonl")), "has a name that no bundle has"),
    "line feed": (packed(named("a\nb")), "has a name that no bundle has"),
    "right-to-left": (packed(named("a\u202efdp.exe")), "has a name that no bundle has"),
    "another case": (packed(named("MESSAGES.jsonl")), "is there twice"),
    "link": (packed(linked), "is not a plain file"),
    "unknown method": (packed(other_method), "packed by an unknown method"),
    "bomb": (packed(deflated_bomb), "unpacks to far more than it is"),
    "encrypted": (with_flag(rezip(FILES), 1), "is encrypted"),
    "data in front": (b"#!/bin/sh\n" + rezip(FILES), "has data in front of it"),
    "overlap": (overlapping(), "overlaps another file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_malicious_zip_is_refused_with_the_reason(name: str) -> None:
    data, expected = HOSTILE[name]
    report = verify(data, pinned=[KEY.verifier])
    assert [fault.where for fault in report.faults] == ["bundle"]
    assert expected in report.faults[0].why


def test_data_after_the_end_of_the_compressed_stream_is_refused() -> None:
    with pytest.raises(ArchiveBroken, match="data behind its end"):
        Archive(io.BytesIO(packed_longer())).read("public_key.txt", 100)
    with pytest.raises(ArchiveBroken, match="data behind its end"):
        Archive(io.BytesIO(packed_longer())).digest("public_key.txt")


def test_a_zip_written_to_a_pipe_is_accepted(tmp_path: Path) -> None:
    """Without seeking, the sizes are written after each file instead of before it."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.written += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=name == "messages.jsonl") as entry:
                entry.write(data)
    assert pipe.written[6] & 0x8
    assert verify(bytes(pipe.written), pinned=[KEY.verifier]).holds
    at = pipe.written.find(b"PK\x07\x08")
    pipe.written[at + 5] ^= 1
    assert "is described otherwise behind it" in verify(bytes(pipe.written), pinned=[KEY.verifier]).faults[0].why


def test_a_duplicate_name_is_refused() -> None:
    report = verify(packed(doubled), pinned=[KEY.verifier])
    assert report.faults[0].why == "'messages.jsonl' is there twice"


def test_a_comment_is_refused() -> None:
    def comment(archive: zipfile.ZipFile) -> None:
        archive.comment = b"PK\x05\x06"

    assert not verify(packed(comment), pinned=[KEY.verifier]).holds


def test_large_files_are_not_decompression_bombs() -> None:
    files = relist({**FILES, "notes.bin": bytes(1 << 20)}, KEY)
    assert verify(rezip(files), pinned=[KEY.verifier]).holds


def test_a_line_without_end_is_not_read_into_memory() -> None:
    """A stored line of 256 MB: the reader stops at its limit."""
    files = {name: data for name, data in FILES.items() if name != "messages.jsonl"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        with archive.open(zipfile.ZipInfo("messages.jsonl"), "w", force_zip64=True) as entry:
            for _ in range(256):
                entry.write(b"x" * (1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = verify(out.getvalue(), pinned=[KEY.verifier])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "does not end, or is too long" in report.faults[-1].why
    assert grown < 420 * 1024  # the 256 MB of the zip itself, copied once, and the line up to its limit


def test_flipped_bytes_never_crash_and_never_pass_unless_the_content_is_the_same() -> None:
    honest = rezip(FILES)
    chance = random.Random(4)
    for _ in range(1500):
        data = bytearray(honest)
        for _ in range(chance.choice([1, 1, 2, 8])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if verify(bytes(data), pinned=[KEY.verifier]).holds:
            assert unzip(bytes(data)) == FILES


def test_damage_inside_a_file_is_reported_with_its_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    data = out.getvalue()
    at = data.find(b"delivery.sent")
    report = verify(data[:at] + b"D" + data[at + 1 :], pinned=[KEY.verifier])
    assert report.faults[-1].why.startswith("events.jsonl cannot be read: Bad CRC-32")

"""Hostile and damaged zips: refused with a reason, never followed, never unpacked without end, never a crash."""

import io
import random
import resource
import stat
import zipfile
from collections.abc import Callable

import pytest

from tests.proof.bundles import KEY, relist, rezip, sample, unzip, verify

FILES = unzip(sample().bundle(attachments=[b"%PDF"]))
Pack = Callable[[zipfile.ZipFile], None]


def packed(more: Pack) -> bytes:
    """The honest files and what ``more`` adds."""
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
    """The last entry of the directory marked with a general-purpose flag."""
    at = data.rfind(b"PK\x01\x02")
    return data[: at + 8] + bytes([data[at + 8] | flag]) + data[at + 9 :]


def overlapping() -> bytes:
    """Two directory entries that point at the same data."""
    data = rezip(FILES)
    first = data.find(b"PK\x01\x02")
    second = data.find(b"PK\x01\x02", first + 4)
    return data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]


HOSTILE = {
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
def test_a_hostile_zip_is_refused_and_the_reason_told(name: str) -> None:
    data, expected = HOSTILE[name]
    report = verify(data, pinned=[KEY.verifier])
    assert [fault.where for fault in report.faults] == ["bundle"]
    assert expected in report.faults[0].why


def test_a_name_given_twice_is_refused() -> None:
    report = verify(packed(doubled), pinned=[KEY.verifier])
    assert report.faults[0].why == "'messages.jsonl' is there twice"


def test_a_comment_is_refused() -> None:
    def comment(archive: zipfile.ZipFile) -> None:
        archive.comment = b"PK\x05\x06"

    assert not verify(packed(comment), pinned=[KEY.verifier]).holds


def test_plain_large_files_are_no_bombs() -> None:
    files = relist({**FILES, "notes.bin": bytes(1 << 20)}, KEY)
    assert verify(rezip(files), pinned=[KEY.verifier]).holds


def test_a_line_without_end_is_not_read_into_memory() -> None:
    """A stored line of 256 MB: the reader gives up at its limit."""
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


def test_damage_inside_a_file_is_told_by_its_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    data = out.getvalue()
    at = data.find(b"delivery.sent")
    report = verify(data[:at] + b"D" + data[at + 1 :], pinned=[KEY.verifier])
    assert report.faults[-1].why.startswith("events.jsonl cannot be read: Bad CRC-32")

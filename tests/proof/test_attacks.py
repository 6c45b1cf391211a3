"""Manipulated bundles by two attackers: whoever carries the bundle, and the key's holder, who can sign it again.

Each is reported, or counted in the verdict's first line where the company may do it.
"""

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable

import pytest

from tests.proof.bundles import (
    KEY,
    claim,
    erasure_event,
    lines,
    listing,
    message,
    relist,
    rezip,
    sample,
    unzip,
    verify,
)
from tests.proof.forgeries import E, Files, M, P, dump, edit, reorder

PDF, PNG = b"%PDF contract", b"\x89PNG picture"
BUNDLE = sample(files=[PDF, PNG]).bundle()
FILES = unzip(BUNDLE)
PINNED = [KEY.verifier]
NAMES = {data: f"attachments/{hashlib.sha256(data).hexdigest()}" for data in (PDF, PNG, b"invented")}
Change = Callable[[Files], Files]


def without(name: str) -> Change:
    return lambda files: {other: data for other, data in files.items() if other != name}


def with_file(name: str, data: bytes = b"x") -> Change:
    return lambda files: {**files, name: data}


def renamed(old: str, new: str) -> Change:
    return lambda files: {new if name == old else name: data for name, data in files.items()}


def member(name: str, path: str, value: object) -> Change:
    """Put a value into the first line of a row file: ``proof.index`` is a path."""

    def change(files: Files) -> Files:
        rows = [json.loads(line) for line in lines(files, name)]
        at = rows[0]
        *above, last = path.split(".")
        for step in above:
            at = at[step]
        at[last] = value
        return {**files, name: b"".join(map(dump, rows))}

    return change


def raw(name: str, old: bytes, new: bytes) -> Change:
    def change(files: Files) -> Files:
        assert old in files[name]
        return {**files, name: files[name].replace(old, new, 1)}

    return change


#: Changes of files, tried by both. The text is what the key's holder is told, who adapts and signs the manifest.
CHANGES: dict[str, tuple[Change, str]] = {
    "an attachment dropped": (without(NAMES[PDF]), f"{NAMES[PDF]}: is not in the bundle, and message"),
    "all attachments dropped": (lambda files: without(NAMES[PDF])(without(NAMES[PNG])(files)), "is not in the bundle"),
    "an attachment added": (with_file(NAMES[b"invented"], b"invented"), "is named by no message of this bundle"),
    "an attachment exchanged": (with_file(NAMES[PDF], b"%PDF other"), "is not named by its own SHA-256"),
    "two attachments exchanged": (
        lambda files: {**files, NAMES[PDF]: files[NAMES[PNG]], NAMES[PNG]: files[NAMES[PDF]]},
        "is not named by its own SHA-256",
    ),
    "an attachment emptied": (with_file(NAMES[PDF], b""), "is not named by its own SHA-256"),
    "an attachment's name in capitals": (
        renamed(NAMES[PDF], NAMES[PDF].upper().replace("ATTACHMENTS", "attachments")),
        "is not named by its own SHA-256",
    ),
    "a folder below": (renamed(NAMES[PDF], "attachments/a/" + NAMES[PDF][12:]), "is not named by its own"),
    "a Cyrillic folder": (renamed(NAMES[PDF], "\u0430ttachments/" + NAMES[PDF][12:]), "is not in the bundle"),
    "an attachment's folder with another slash": (
        renamed(NAMES[PDF], "attachments\u2215" + NAMES[PDF][12:]),
        "is not in the bundle",
    ),
    "a folder in capitals": (renamed(NAMES[PDF], "Attachments/" + NAMES[PDF][12:]), "is not in the bundle"),
    "an attachment in wide digits": (
        renamed(NAMES[PDF], NAMES[PDF][:-1] + chr(0xFF10 + 5)),
        "is not named by its own SHA-256",
    ),
    "rows under a Cyrillic name": (renamed(M, "mess\u0430ges.jsonl"), "messages.jsonl: is missing"),
    "rows reversed": (reorder(M, lambda of: of[::-1]), "it was doubled or moved"),
    "a row doubled": (reorder(M, lambda of: [of[0], *of]), "it was doubled or moved"),
    "a row twice, with another index": (
        lambda files: member(M, "proof.index", 1)({**files, M: lines(files, M)[0] + files[M]}),
        "leaf 1",
    ),
    "all rows dropped": (with_file(M, b""), "leaf 0: message is not in messages.jsonl"),
    "events among the messages": (lambda files: {**files, M: files[M] + files[E]}, "is no message of format 1"),
    "row files exchanged": (lambda files: {**files, M: files[E], E: files[M]}, "is no message of format 1"),
    "a name twice in a row": (raw(M, b'{"id":', b'{"id":"x","id":'), "is not JSON that all readers see alike"),
    "a name twice in a proof": (raw(M, b'"index":0', b'"index":9,"index":0'), "is not JSON that all readers"),
    "a name twice, once escaped": (raw(M, b'{"id":', b'{"\\u0069d":"x","id":'), "is not JSON that all readers"),
    "NaN for an index": (raw(M, b'"index":0', b'"index":NaN'), "is not JSON that all readers"),
    "a fraction for an index": (raw(M, b'"index":0', b'"index":0.0'), "is not JSON that all readers"),
    "an exponent for an index": (raw(M, b'"index":0', b'"index":0e0'), "is not JSON that all readers"),
    "minus zero for an index": (raw(M, b'"index":0', b'"index":-0'), "is not written canonically"),
    "a huge index": (raw(M, b'"index":0', b'"index":9007199254740993'), "is not JSON that all readers"),
    "a number with 5,000 digits": (raw(M, b'"index":0', b'"index":' + b"9" * 5000), "is not JSON that all readers"),
    "true for an index": (member(M, "proof.index", True), "has no leaf index"),
    "text for an index": (member(M, "proof.index", "0"), "has no leaf index"),
    "true for the format": (member(M, "proof.format", True), "is not written canonically"),
    "a list for a text": (member(M, "text", ["a"]), "has a value that is not text"),
    "false for a null": (member(M, "employee", False), "has a value that is not text"),
    "a list for the salts": (member(M, "proof.salts", []), "has a proof that cannot be read"),
    "a salt in capitals": (
        member(M, "proof.salts.text", json.loads(lines(FILES, M)[0])["proof"]["salts"]["text"].upper()),
        "has a proof that cannot be read",
    ),
    "null for the proof": (member(M, "proof", None), "is no message of format 1"),
    "a byte order mark": (raw(M, b"{", b"\xef\xbb\xbf{"), "is not JSON that all readers"),
    "a row in UTF-16": (reorder(M, lambda of: [of[0].decode().encode("utf-16"), *of[1:]]), "messages.jsonl"),
    "carriage returns": (raw(M, b"}\n", b"}\r\n"), "is not written canonically"),
    "an empty line": (raw(M, b"}\n", b"}\n\n"), "is not JSON that all readers"),
    "a line separator": (raw(M, b"}\n", b"}\xe2\x80\xa8\n"), "is not JSON that all readers"),
    "a decomposed letter": (raw(M, "お部屋".encode(), "お部屋\u3099".encode()), "text differs from what was sealed"),
    "a look-alike in a name": (raw(M, "佐藤".encode(), "佐籐".encode()), "from_name differs from what was sealed"),
    "an invisible character": (raw(M, "お部屋".encode(), "お\u200b部屋".encode()), "text differs from what was sealed"),
    "a digest of zeros": (member(E, "proof.content", "0" * 64), "is not written canonically"),
    "a leaf without its row": (raw(P, b',"row":"message"', b""), "it was added or moved"),
    "a leaf of the other kind": (raw(P, b'"row":"message"', b'"row":"event"'), "leaf 0"),
    "parts in capitals": (edit(P, '"hash":"', '"hash":"A'), "is not a part of a tree"),
    "a part with an exponent": (raw(P, b'"width":1', b'"width":1e0'), "is not a part of a tree"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_file_is_reported_with_and_without_the_key(name: str) -> None:
    change, expected = CHANGES[name]
    files = change(FILES)
    assert files != FILES

    carrier = verify(rezip(files), pinned=PINNED)
    unsigned = verify(rezip(relist(files)), pinned=PINNED)
    holder = verify(rezip(relist(files, KEY)), pinned=PINNED)

    assert not carrier.holds
    assert not unsigned.holds
    assert any(expected in str(fault) for fault in holder.faults), holder.faults


# --- what the company may do, and must say


def test_withheld_files_are_counted_if_the_sealed_export_says_so() -> None:
    report = verify(sample(files=[PDF, PNG]).bundle(without_files=True), pinned=PINNED)

    assert report.holds
    assert report.verdict == "What is shown holds. Not shown or not proven: 2 files withheld."


def test_the_sealed_export_says_that_the_files_were_there() -> None:
    """The company exports with files, then drops one and says that files were withheld."""
    bundle = sample(files=[PDF]).bundle(redacted=["subject"])

    report = verify(rezip(claim(without(NAMES[PDF])(unzip(bundle)), attachments=False)), pinned=PINNED)

    assert ["says otherwise than the export's event" in str(fault) for fault in report.faults] == [True]


def test_a_list_of_files_that_is_hidden_needs_a_reason_in_the_record() -> None:
    """Without its list, nobody could tell that a file was dropped."""
    record = sample(files=[PDF])
    files = without(NAMES[PDF])(unzip(record.bundle()))
    rows = [json.loads(line) for line in lines(files, M)]
    rows[0]["files"] = None
    del rows[0]["proof"]["salts"]["files"]
    hidden = {**files, M: b"".join(map(dump, rows))}

    alone = verify(rezip(relist(hidden, KEY)), pinned=PINNED)
    claimed = verify(rezip(claim(hidden, redacted=["files"])), pinned=PINNED)

    assert [str(fault) for fault in alone.faults] == [
        "message 0192f0a0-0000-7000-8000-000000000000 of 2026-11-24 09:00: "
        "files is withheld, and neither this export nor an erasure in the record says so"
    ]
    assert "names no event of its export" in str(claimed.faults[0])


def test_the_files_of_an_erased_message_may_be_gone_but_not_stay() -> None:
    record = sample(files=[PDF])
    record.rows[0].erase()
    record.add(erasure_event(0, record.rows[0]))

    gone, kept = (verify(record.bundle(attachments=files), pinned=PINNED) for files in ([], [PDF]))

    assert gone.holds
    assert "personal values withheld or erased" in gone.verdict
    assert ["named by no message" in str(fault) for fault in kept.faults] == [True]


def test_an_erasure_of_another_row_explains_nothing() -> None:
    record = sample()
    record.rows[0].erase()
    record.add(erasure_event(0, record.rows[2]))

    assert "neither this export nor an erasure" in str(verify(record.bundle(), pinned=PINNED).faults[0])


@pytest.mark.parametrize("listed", ["{}", '[{"sha256":"a"}]', "[1]", "not JSON", listing(PDF)[:-2] + ',"size":true}]'])
def test_a_sealed_list_of_files_that_can_not_be_read_is_reported(listed: str) -> None:
    record = sample()
    record.add(message(60, files=listed))

    assert "names its files in a way that can't be read" in str(verify(record.bundle(), pinned=PINNED).faults[0])


@pytest.mark.parametrize("name", ["transcript.html", "table.csv", "VERIFY.md", "attachments.zip", "m\u0435ssages.json"])
def test_files_that_no_leaf_proves_are_counted_in_the_first_line(name: str) -> None:
    """Renderings that differ from the rows, and instructions that are not this program's."""
    report = verify(rezip(relist({**FILES, name: b"<p>Agreed by phone."}, KEY)), pinned=PINNED)

    assert (report.holds, report.unproven) == (True, [name])
    assert report.verdict == "What is shown holds. Not shown or not proven: 1 files that no leaf proves."


# --- the zip


def zipped(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    """The bundle with one odd entry for the PDF."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            info = zipfile.ZipInfo(name)
            if name == NAMES[PDF]:
                change(info)
            archive.writestr(info, data)
    return out.getvalue()


def as_link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def as_device(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFBLK | 0o666) << 16


ZIPS: dict[str, tuple[Callable[[zipfile.ZipInfo], None], str]] = {
    "a link": (as_link, "is not a plain file"),
    "a device": (as_device, "is not a plain file"),
    "an absolute name": (lambda info: setattr(info, "filename", "/" + info.filename), "leads out of the bundle"),
    "a name that leads up": (lambda info: setattr(info, "filename", "attachments/../" + info.filename), "leads out"),
    "a stream's name": (lambda info: setattr(info, "filename", info.filename + ":x"), "leads out of the bundle"),
    "a trailing space": (lambda info: setattr(info, "filename", info.filename + " "), "a name that no bundle has"),
    "two slashes": (lambda info: setattr(info, "filename", info.filename.replace("/", "//")), "a name that no bundle"),
    "ligatures": (lambda info: setattr(info, "filename", "public_key.tx\u200bt"), "a name that no bundle has"),
    "wide letters": (lambda info: setattr(info, "filename", "\uff30ublic_key.txt"), "is there twice"),
    "a long s": (lambda info: setattr(info, "filename", "me\u017f\u017fages.jsonl"), "is there twice"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_an_odd_entry_is_refused(name: str) -> None:
    change, expected = ZIPS[name]

    report = verify(zipped(change), pinned=PINNED)

    assert expected in str(report.faults[0])

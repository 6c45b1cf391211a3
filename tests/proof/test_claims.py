"""Claims in a bundle's manifest, and bytes that could manipulate a reader's terminal or parser."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.proof.bundles import KEY, claim, lines, relist, rezip, sample, unzip, verify
from tests.proof.forgeries import M, dump
from tests.proof.test_command import key_file, run

PINNED = [KEY.verifier]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"messages": 13}, "manifest.json: says 13 messages, and 12 are there"),
        ({"events": 12}, "manifest.json: says 12 events, and 0 are there"),
        ({"whole": True}, "manifest.json: says that this is the whole record, and 12 leaves are not shown"),
    ],
)
def test_a_manifest_that_claims_more_than_the_content_is_reported(what: dict[str, Any], expected: str) -> None:
    files = unzip(
        sample().bundle(show=lambda index, row: ("events" not in what and what != {"whole": True}) or index % 2 == 0)
    )

    report = verify(rezip(claim(files, **what)), pinned=PINNED)

    assert [str(fault) for fault in report.faults] == [expected]


def test_a_filtered_bundle_is_not_the_whole_record() -> None:
    report = verify(sample().bundle(filters={"tenant": "a"}), pinned=PINNED)

    assert [str(fault) for fault in report.faults] == [
        "manifest.json: says that this is the whole record, and has filters"
    ]


def test_a_file_without_a_leaf_is_reported_as_not_proven(tmp_path: Path) -> None:
    """For example a table made from the rows, which only the company's signature covers."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(rezip(relist({**unzip(sample().bundle()), "table.csv": b"id,text\n1,never said\n"}, KEY)))

    done = run(path, "--public-key", key_file(tmp_path))

    assert done.returncode == 0
    assert "NOT PROVEN  table.csv: signed with the bundle, but not covered by a leaf" in done.stdout


@pytest.mark.parametrize("text", ["\x1b[1A\x1b[2KAll holds.", "x\nAll holds.", "\x9b2J", "\u202egnihton"])
def test_forged_values_can_not_manipulate_the_terminal(tmp_path: Path, text: str) -> None:
    """Ids and times are printed on one line, without control characters."""
    files = unzip(sample().bundle())
    row = json.loads(lines(files, M)[0])
    row["id"] = text
    path = tmp_path / "bundle.zip"
    path.write_bytes(rezip(relist({**files, M: b"".join([dump(row), *lines(files, M)[1:]])}, KEY)))

    done = run(path, "--public-key", key_file(tmp_path))

    assert done.returncode == 1
    assert "All holds." not in done.stdout.splitlines()
    assert all(character.isprintable() or character == "\n" for character in done.stdout)


def test_text_that_the_console_can_not_encode_does_not_abort(tmp_path: Path) -> None:
    files = unzip(sample().bundle())
    row = json.loads(lines(files, M)[0])
    row["id"] = "佐藤"
    path = tmp_path / "bundle.zip"
    path.write_bytes(rezip(relist({**files, M: b"".join([dump(row), *lines(files, M)[1:]])}, KEY)))

    done = run(path, "--public-key", key_file(tmp_path), PYTHONIOENCODING="ascii")

    assert (done.returncode, done.stderr) == (1, "")
    assert "DOES NOT HOLD  message \\u4f50\\u85e4" in done.stdout


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_a_deeply_nested_manifest_is_refused(depth: int) -> None:
    """With a valid signature of another manifest, since the manifest is parsed before they are compared."""
    files = unzip(sample().bundle())
    manifest = json.loads(files["manifest.json"]) | {"what": "DEEP"}
    text = json.dumps(manifest).replace('"DEEP"', '{"a":' * depth + "1" + "}" * depth)

    report = verify(rezip({**files, "manifest.json": text.encode()}), pinned=PINNED)

    assert [fault.where for fault in report.faults] == ["manifest.json"]


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "1" + "0" * 5000, "12.0", "true"])
def test_numbers_that_readers_see_differently_are_refused(number: str) -> None:
    files = unzip(sample().bundle())
    row = lines(files, M)[0].replace(b'"index":0', f'"index":{number}'.encode())
    manifest = files["manifest.json"].replace(b'"bytes":', f'"bytes":{number},"bytes":'.encode(), 1)

    report = verify(rezip(relist({**files, M: b"".join([row, *lines(files, M)[1:]])}, KEY)), pinned=PINNED)
    other = verify(rezip({**files, "manifest.json": manifest}), pinned=PINNED)

    assert report.faults[0].where == "messages.jsonl line 1"
    assert [fault.where for fault in other.faults] == ["manifest.json"]


@pytest.mark.parametrize("change", [lambda data: b"\xef\xbb\xbf" + data, lambda data: data.replace(b"\n", b"\r\n")])
def test_other_ways_to_write_lines_are_refused(change: Any) -> None:
    files = unzip(sample().bundle())

    report = verify(rezip(relist({**files, M: change(files[M])}, KEY)), pinned=PINNED)

    assert report.faults[0].where == "messages.jsonl line 1"

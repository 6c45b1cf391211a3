"""A genuine bundle is valid; each manipulation is reported and located, with or without the signing key."""

import json

import pytest

from crm_contact_guard.proof.notes import Checkpoint
from tests.proof.bundles import (
    KEY,
    NEXT_KEY,
    STRANGER,
    Record,
    claim,
    erasure_event,
    event,
    lines,
    message,
    relist,
    rezip,
    sample,
    unzip,
    verify,
)
from tests.proof.forgeries import ID, PROOF_FORGERIES, ROW_FORGERIES, E, M, P, at, edit, hide_row

PINNED = [KEY.verifier]


def reasons(bundle: bytes, **options: object) -> list[str]:
    report = verify(bundle, **{"pinned": PINNED, **options})
    assert report.holds == (not report.faults)
    return [str(fault) for fault in report.faults]


def test_a_genuine_bundle_of_the_whole_record_is_valid() -> None:
    report = verify(sample(files=[b"%PDF", b"\x89PNG"]).bundle(), pinned=PINNED)
    assert report.faults == []
    assert report.rows == {"message": 12, "event": 12}
    assert (report.withheld, report.hidden) == (0, 0)
    assert report.signers == (KEY.verifier,)


def test_an_empty_record_and_an_empty_extract_are_valid() -> None:
    assert reasons(Record().bundle()) == []
    report = verify(sample().bundle(show=lambda index, row: False), pinned=PINNED)
    assert report.faults == []
    assert report.hidden == 24


@pytest.mark.parametrize("count", [1, 2, 3, 127, 128, 129, 300])
def test_an_extract_is_valid_and_counts_hidden_leaves(count: int) -> None:
    report = verify(sample(count).bundle(show=lambda index, row: index % 7 == 2), pinned=PINNED)
    shown = sum(report.rows.values())
    assert report.faults == []
    assert shown == len(range(2, 2 * count, 7))
    assert report.hidden == 2 * count - shown


def test_redacted_and_erased_values_are_missing_and_the_rest_is_valid() -> None:
    record = sample()
    record.rows[4].erase()
    record.add(erasure_event(4, record.rows[4]))
    bundle = record.bundle(redacted=["to_address", "to_name"])
    report = verify(bundle, pinned=PINNED)
    assert report.faults == []
    # 4 values of the erased message; to_address of eleven others; to_name of the one that has it.
    assert report.withheld == 4 + 11 + 1
    rows = [json.loads(line) for line in lines(unzip(bundle), "messages.jsonl")]
    assert all(row["to_address"] is None and "to_address" not in row["proof"]["salts"] for row in rows)
    assert "819012345678" not in unzip(bundle)["messages.jsonl"].decode()
    assert rows[2]["text"] is None
    assert rows[2]["proof"]["salts"] == {}


def test_erasing_one_field_keeps_the_others_provable() -> None:
    record = sample()
    row = record.rows[0]
    assert row.salt is not None
    row.values["details"] = None
    row.salt = row.salt[: 16 * 7] + bytes(16) + row.salt[16 * 8 :]
    record.add(erasure_event(0, row))
    report = verify(record.bundle(), pinned=PINNED)
    assert (report.faults, report.withheld) == ([], 1)


def test_without_a_pinned_key_the_report_names_the_trusted_key() -> None:
    report = verify(sample().bundle())
    assert report.holds
    assert not report.pinned
    assert report.signers == (KEY.verifier,)


def test_a_rotated_key_verifies_with_both_keys_pinned() -> None:
    bundle = sample().bundle(key=NEXT_KEY, keys=[KEY, NEXT_KEY])
    assert reasons(bundle, pinned=[KEY.verifier, NEXT_KEY.verifier]) == []
    assert reasons(bundle, pinned=[]) == []


@pytest.mark.parametrize("name", ROW_FORGERIES)
def test_a_forged_row_is_reported(name: str) -> None:
    forge, expected = ROW_FORGERIES[name]
    files = forge(unzip(sample().bundle()))
    as_they_are = reasons(rezip(files))
    assert any(expected in reason for reason in as_they_are), as_they_are
    # If the manifest is adapted, the signature reveals it; if the company itself signs, the tree does.
    assert reasons(rezip(relist(files)))[0].startswith("manifest.")
    insider = reasons(rezip(relist(files, KEY)))
    assert any(expected in reason for reason in insider), insider


@pytest.mark.parametrize("name", ROW_FORGERIES)
def test_a_forged_row_is_reported_in_an_extract(name: str) -> None:
    """The same in a bundle that shows only part of the record."""
    forge, _expected = ROW_FORGERIES[name]
    bundle = sample().bundle(show=lambda index, row: index != 21)
    assert reasons(bundle) == []
    assert reasons(rezip(relist(forge(unzip(bundle)), KEY)))


@pytest.mark.parametrize("name", PROOF_FORGERIES)
def test_forged_proofs_are_reported(name: str) -> None:
    forge, expected = PROOF_FORGERIES[name]
    files = forge(unzip(sample().bundle()))
    assert "proofs.jsonl: differs from what was signed" in reasons(rezip(files))
    assert reasons(rezip(relist(files)))[0].startswith("manifest.")
    insider = reasons(rezip(relist(files, KEY)))
    assert any(expected in reason for reason in insider), insider


def test_a_leaf_replaced_by_the_company_leads_to_another_root() -> None:
    record, forged = sample(), sample()
    forged.rows[6].values["text"] = "別の文"
    forged.hashes = b"".join(row.seal() for row in forged.rows)
    forged.store = type(forged.store)()
    forged.store.append(forged.hashes)
    insider = reasons(forged.bundle(checkpoint=record.checkpoint()))
    assert insider == ["proofs.jsonl: does not lead to the signed root: a leaf was altered, dropped or added"]


def test_only_the_signer_can_hide_a_row() -> None:
    files = hide_row(unzip(sample().bundle()))
    assert "proofs.jsonl: differs from what was signed" in reasons(rezip(files))
    assert reasons(rezip(relist(files)))[0].startswith("manifest.")
    assert reasons(rezip(relist(files, KEY))) == [
        "manifest.json: says 12 messages, and 11 are there",
        "manifest.json: says that this is the whole record, and 1 leaves are not shown",
    ]
    report = verify(rezip(claim(files, messages=11, whole=False)), pinned=PINNED)
    assert report.holds
    assert report.verdict == "What is shown holds. Not shown or not proven: 1 leaves of the record not in the bundle."


def test_a_key_other_than_the_pinned_one_fails_and_is_named() -> None:
    found = reasons(sample().bundle(key=STRANGER, keys=[STRANGER]))
    assert found == [
        "manifest.sig: is signed by another key than the pinned one; the bundle names "
        f"{STRANGER.name} {STRANGER.verifier.fingerprint}"
    ]


def test_a_bundle_with_a_replaced_key_file_fails() -> None:
    files = unzip(sample().bundle())
    files["public_key.txt"] = f"{STRANGER.verifier.to_text()}\n".encode()
    assert reasons(rezip(files)) == ["public_key.txt: differs from what was signed"]
    assert reasons(rezip(files), pinned=[]) == ["manifest.sig: is not signed by a key of the bundle"]


def test_a_bundle_signed_by_another_key_fails_only_with_a_pinned_key() -> None:
    files = relist({**unzip(sample().bundle(key=STRANGER, keys=[STRANGER]))}, STRANGER)
    assert reasons(rezip(files))[0].startswith("manifest.sig: is signed by another key")
    report = verify(rezip(files))
    assert report.holds
    assert not report.pinned


def test_a_checkpoint_signed_by_another_key_fails() -> None:
    bundle = sample().bundle(checkpoint=sample().checkpoint(STRANGER))
    assert reasons(bundle) == ["manifest.json: has a checkpoint that does not hold: no signature is from a known key"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"created_at":"2026', '"created_at":"2025', "manifest.json: is not the manifest that was signed"),
        ('"filters":{}', '"filters":{"tenant":"1"}', "manifest.json: is not the manifest that was signed"),
        ('"format":1', '"format":2', "manifest.json: is not a manifest of format 1: format"),
        ('"rows":12', '"rows":11', "manifest.json: is not the manifest that was signed"),
        ('"origin":"guard', '"origin":"other', "manifest.json: is not the manifest that was signed"),
        ('"filters":{}', '"filters": {}', "manifest.json: is not written canonically"),
        ("{", "", "manifest.json: is not JSON that all readers see alike"),
    ],
)
def test_a_forged_manifest_fails(old: str, new: str, expected: str) -> None:
    assert reasons(rezip(edit("manifest.json", old, new)(unzip(sample().bundle())))) == [expected]


def test_the_signature_of_another_bundle_is_invalid() -> None:
    files, other = unzip(sample().bundle()), unzip(sample(5).bundle())
    files["manifest.sig"] = other["manifest.sig"]
    assert reasons(rezip(files)) == ["manifest.json: is not the manifest that was signed"]
    files["manifest.sig"] = other["manifest.sig"].replace(b"1\n", b"2\n", 1)
    assert reasons(rezip(files)) == ["manifest.sig: the signature of guard.example/record does not fit the text"]


def test_a_checkpoint_is_not_a_manifest_signature() -> None:
    record = sample()
    files = {**unzip(record.bundle()), "manifest.sig": record.checkpoint().encode()}
    assert reasons(rezip(files)) == ["manifest.json: is not the manifest that was signed"]


def test_altered_added_and_removed_files_are_reported() -> None:
    files = unzip(sample(files=[b"%PDF"]).bundle())
    name = next(name for name in files if name.startswith("attachments/"))
    assert reasons(rezip({**files, name: b"%PDE"})) == [
        f"{name}: differs from what was signed",
        f"{name}: is not named by its own SHA-256, as the messages name their files",
    ]
    assert reasons(rezip({**files, "extra.txt": b""})) == ["extra.txt: is in the bundle and not in the manifest"]
    assert reasons(rezip({key: data for key, data in files.items() if key != name})) == [
        f"{name}: is in the manifest and not in the bundle",
        f"{name}: is not in the bundle, and {at(0)[:-2]} names it: it was dropped or lost",
    ]
    assert reasons(rezip({**files, "VERIFY.md": b"Trust me."})) == ["VERIFY.md: differs from what was signed"]


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "public_key.txt", M, E, P])
def test_a_bundle_without_one_of_its_parts_fails(name: str) -> None:
    files = {key: data for key, data in unzip(sample().bundle()).items() if key != name}
    assert any(name in reason and "missing" in reason for reason in reasons(rezip(files)))
    assert reasons(rezip(relist(files, KEY) if not name.startswith("manifest") else files))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 16, 23, 24])
def test_an_older_checkpoint_is_the_beginning_of_a_whole_record(size: int) -> None:
    record = sample()
    report = verify(record.bundle(), pinned=PINNED, since=record.checkpoint(size=size))
    assert report.faults == []
    assert report.since == Checkpoint("guard.example/record", size, report.since.root if report.since else b"")


def test_an_extract_can_be_compared_with_the_checkpoints_it_was_exported_for() -> None:
    record = sample(300)
    bundle = record.bundle(show=lambda index, row: index == 500, splits=[123, 477, 600, 9999])
    for size in (123, 477, 600):
        assert reasons(bundle, since=record.checkpoint(size=size)) == []
    assert reasons(bundle, since=record.checkpoint(size=130)) == [
        "your checkpoint: cannot be compared by this bundle; ask for one exported since it"
    ]


def test_a_rewritten_record_contradicts_an_older_checkpoint() -> None:
    kept = sample().checkpoint(size=10)
    rewritten = Record()
    for number in range(12):
        rewritten.add(message(number, **({"text": "作り直した文"} if number == 2 else {})), event(number))
    assert reasons(rewritten.bundle()) == []
    assert reasons(rewritten.bundle(), since=kept) == [
        "your checkpoint: the record was rewritten: its first 10 leaves are not those you hold"
    ]


def test_a_rolled_back_record_contradicts_an_older_checkpoint() -> None:
    kept = sample().checkpoint()
    assert reasons(sample(8).bundle(), since=kept) == [
        "your checkpoint: has 24 leaves, the bundle's record only 16: "
        "the bundle is older than it, or the record was rolled back"
    ]


def test_a_forged_older_checkpoint_is_refused() -> None:
    record = sample()
    assert reasons(record.bundle(), since=record.checkpoint(STRANGER))[0].startswith("your checkpoint: no signature")
    assert reasons(record.bundle(), since="nonsense")[0].startswith("your checkpoint: the note has no signatures")


def test_all_faults_are_counted_and_a_thousand_kept() -> None:
    record = sample(700)
    for row in record.rows:
        row.open_values["tenant"] = "elsewhere"
    report = verify(record.bundle(), pinned=PINNED)
    assert report.fault_count == 1400
    assert len(report.faults) == 1000


def test_a_row_tampered_with_in_the_database_is_exported_and_reported() -> None:
    record = sample()
    record.rows[2].digests = b"short"
    record.rows[4].salt = None
    record.rows[6].digests += b"long"
    found = reasons(record.bundle())
    assert [reason.split(":")[0] for reason in found] == [
        f"message {ID}1 of 2026-11-24 09",
        "messages.jsonl line 3",
        "leaf 4",
        "manifest.json",
    ]

"""Manifests and signatures that were forged, mostly by the key's holder: types, claims, checkpoints, signatures."""

import hashlib
import json

import pytest

from crm_contact_guard.proof.merkle import tree_root
from crm_contact_guard.proof.notes import Checkpoint, SigningKey
from tests.proof.bundles import KEY, ORIGIN, STRANGER, relist, rezip, sample, unzip, verify
from tests.proof.forgeries import Files, M, P

RECORD = sample(files=[b"%PDF contract"])
FILES = unzip(RECORD.bundle())
PDF = next(name for name in FILES if name.startswith("attachments/"))
PINNED = [KEY.verifier]


#: What the key's holder may write into the manifest, and the member that is named.
CLAIMS: dict[str, tuple[object, str]] = {
    "whole as a number": ({"whole": 1}, "what.whole"),
    "whole as a text": ({"whole": "true"}, "what.whole"),
    "whole as null": ({"whole": None}, "what.whole"),
    "whole left out": ({"whole": ...}, "what.whole"),
    "messages as a text": ({"messages": "12"}, "what.messages"),
    "messages as true": ({"messages": True}, "what.messages"),
    "messages as a fraction": ({"messages": 12.0}, "see alike"),
    "messages beyond 2⁵³": ({"messages": 2**53}, "see alike"),
    "messages below zero": ({"messages": -1}, "what.messages"),
    "messages left out": ({"messages": ...}, "what.messages"),
    "events as a list": ({"events": [12]}, "what.events"),
    "redacted as a text": ({"redacted": "text"}, "what.redacted"),
    "redacted as an object": ({"redacted": {"text": True}}, "what.redacted"),
    "an unknown field redacted": ({"redacted": ["Text"]}, "what.redacted"),
    "attachments as zero": ({"attachments": 0}, "what.attachments"),
    "attachments left out": ({"attachments": ...}, "what.attachments"),
    "an unknown claim": ({"complete": True}, "what.complete"),
    "a look-alike claim": ({"wh\u043ele": True}, "what.wh"),
    "export as a number": ({"export": 1}, "what.export"),
    "files withheld without an event": ({"attachments": False}, "names no event of its export"),
    "texts withheld without an event": ({"redacted": ["text"]}, "names no event of its export"),
    "an event that is none of an export": (
        {"attachments": False, "export": "0192f0a0-0000-7000-8000-e00000000000"},
        "names no event of its export",
    ),
    "an event that is not there": ({"export": "0192f0a0-0000-7000-8000-e0000000ffff"}, "names no event of its export"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_false_claim_is_reported_though_it_is_signed(name: str) -> None:
    what, expected = CLAIMS[name]
    manifest = json.loads(FILES["manifest.json"])
    manifest["what"] = {key: value for key, value in (manifest["what"] | what).items() if value is not ...}  # type: ignore[operator]

    report = verify(rezip(relist({**FILES, "manifest.json": json.dumps(manifest).encode()}, KEY)), pinned=PINNED)

    assert any(expected in str(fault) for fault in report.faults), report.faults


def signed(text: str, key: SigningKey = KEY) -> Files:
    digest = hashlib.sha256(text.encode()).hexdigest()
    note = f"crm_contact_guard/manifest/1\n{ORIGIN}\n{digest}\n"
    return {**FILES, "manifest.json": text.encode(), "manifest.sig": key.sign(note).encode()}


def manifest(**members: object) -> str:
    return (
        json.dumps(
            json.loads(FILES["manifest.json"]) | members, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        + "\n"
    )


def entry(name: str = M, **values: object) -> str:
    """The manifest with other values for a file."""
    listed = json.loads(FILES["manifest.json"])["files"]
    return manifest(files=listed | {name: listed[name] | values})


OTHER = Checkpoint("other.example/record", 24, b"r" * 32).sign(SigningKey("other.example/record", KEY.seed))

MANIFESTS: dict[str, tuple[Files, str]] = {
    "format as true": (signed(manifest(format=True)), "is not a manifest of format 1: format"),
    "format as a text": (signed(manifest(format="1")), "is not a manifest of format 1: format"),
    "bytes as a text": (signed(entry(bytes="1")), "files.messages.jsonl.bytes"),
    "bytes as true": (signed(entry(bytes=True)), "files.messages.jsonl.bytes"),
    "rows as null": (signed(entry(rows=None)), "files.messages.jsonl.rows"),
    "rows as a fraction": (signed(entry(rows=12.0)), "see alike"),
    "a digest in capitals": (signed(entry(sha256="A" * 64)), "files.messages.jsonl.sha256"),
    "a digest cut": (signed(entry(sha256="a" * 63)), "files.messages.jsonl.sha256"),
    "an unknown member of a file": (signed(entry(type="text")), "files.messages.jsonl.type"),
    "files as a list": (signed(manifest(files=[])), "format 1: files"),
    "filters as a list": (signed(manifest(filters=[])), "format 1: filters"),
    "an unknown filter": (signed(manifest(filters={"team": "1"})), "format 1: filters.team"),
    "a filter as a number": (signed(manifest(filters={"tenant": 1})), "format 1: filters.tenant"),
    "an unknown member": (signed(manifest(note="")), "format 1: note"),
    "a time that is none": (signed(manifest(created_at="yesterday")), "format 1: created_at"),
    "a name twice": (signed('{"format":2,' + manifest()[1:]), "see alike"),
    "NaN": (signed(manifest(filters={"tenant": float("nan")})), "see alike"),
    "a byte order mark": (signed("\ufeff" + manifest()), "see alike"),
    "rows of the proofs": (
        signed(entry(P, rows=1)),
        "proofs.jsonl: has 24 lines, 1 when it was signed",
    ),
    "rows of an attachment": (
        signed(entry(PDF, rows=1)),
        "when it was signed",
    ),
    "the checkpoint of another record": (signed(manifest(checkpoint=OTHER)), "no signature is from a known key"),
    "the checkpoint of another record, by a key of our name": (
        signed(manifest(checkpoint=Checkpoint("other.example/record", 24, b"r" * 32).sign(KEY))),
        "the checkpoint is of other.example/record, not of guard.example/record",
    ),
    "a checkpoint by another key": (signed(manifest(checkpoint=RECORD.checkpoint(STRANGER))), "no signature is from"),
    "an older checkpoint": (signed(manifest(checkpoint=RECORD.checkpoint(size=20))), "covers 24 leaves of 20"),
    "signed by another key of the same name": (signed(manifest(), STRANGER), "signed by another key than the pinned"),
    "no signature": ({**FILES, "manifest.sig": FILES["manifest.sig"].partition(b"\n\n")[0] + b"\n\n"}, "manifest.sig"),
    "a false signature of our key added": (
        {**FILES, "manifest.sig": FILES["manifest.sig"] + FILES["manifest.sig"].split(b"\n\n")[1][:-4] + b"AA==\n"},
        "manifest.sig",
    ),
    "a thousand signatures": (
        {**FILES, "manifest.sig": FILES["manifest.sig"] + STRANGER.sign("x\n").split("\n\n")[1].encode() * 1000},
        "the note has too many signatures",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_forged_manifest_or_signature_is_reported(name: str) -> None:
    files, expected = MANIFESTS[name]

    report = verify(rezip(files), pinned=PINNED)

    assert any(expected in str(fault) for fault in report.faults), report.faults


def test_the_signature_of_a_witness_beside_ours_changes_nothing() -> None:
    """C2SP's signed notes: lines of unknown keys are ignored."""
    line = STRANGER.sign("x\n").split("\n\n")[1].encode()

    report = verify(rezip({**FILES, "manifest.sig": FILES["manifest.sig"] + line}), pinned=PINNED)

    assert (report.verdict, report.signers) == ("All holds.", (KEY.verifier,))


def test_a_record_of_another_name_is_refused_though_its_key_is_pinned() -> None:
    """Who holds the key could keep a second record with it."""
    other = json.loads(FILES["manifest.json"]) | {
        "origin": "other.example/record",
        "checkpoint": Checkpoint("other.example/record", 24, tree_root(RECORD.hashes)).sign(KEY),
    }
    data = json.dumps(other, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    note = f"crm_contact_guard/manifest/1\nother.example/record\n{hashlib.sha256(data).hexdigest()}\n"

    report = verify(rezip({**FILES, "manifest.json": data, "manifest.sig": KEY.sign(note).encode()}), pinned=PINNED)

    assert "is of the record other.example/record" in str(report.faults[0])

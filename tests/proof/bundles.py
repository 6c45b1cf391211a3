"""A small genuine record, its bundle, and functions to unpack and repack the zip like a forger."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from crm_contact_guard.proof.bundle import Report, verify_bundle
from crm_contact_guard.proof.bundle_format import row_line
from crm_contact_guard.proof.bundle_writer import BundleWriter
from crm_contact_guard.proof.canonical import (
    OPEN,
    PERSONAL,
    RowKind,
    canonical_json,
    leaf_bytes,
    leaf_hash,
    personal_digests,
)
from crm_contact_guard.proof.cover import cover
from crm_contact_guard.proof.merkle import tree_root
from crm_contact_guard.proof.notes import Checkpoint, SigningKey
from tests.proof.trees import TileStore

KEY = SigningKey("guard.example/record", b"k" * 32)
NEXT_KEY = SigningKey("guard.example/record", b"n" * 32)
STRANGER = SigningKey("guard.example/record", b"s" * 32)
ORIGIN = "guard.example/record"


@dataclass
class StoredRow:
    kind: RowKind
    open_values: dict[str, str | None]
    values: dict[str, str | None]
    salt: bytes | None
    digests: bytes = b""

    def seal(self) -> bytes:
        self.digests = personal_digests(PERSONAL[self.kind], self.salt or b"", self.values)
        return leaf_hash(leaf_bytes(self.kind, self.open_values, self.digests))

    def erase(self) -> None:
        self.values = dict.fromkeys(self.values)
        self.salt = None


def message(number: int, **values: str | None) -> StoredRow:
    names = PERSONAL["message"]
    return StoredRow(
        "message",
        {
            **dict.fromkeys(OPEN["message"]),
            "id": f"0192f0a0-0000-7000-8000-{number:012x}",
            "tenant": "",
            "conversation": "0192f0a0-0000-7000-8000-0000000000c1",
            "customer": "guest-118",
            "direction": "outbound" if number % 2 else "inbound",
            "channel": "sms",
            "kind": "message",
            "occurred_at": f"2026-11-24T09:{number % 60:02d}:00.123456Z",
            "recorded_at": f"2026-11-24T09:{number % 60:02d}:00.200000Z",
            "source": "live",
        },
        {
            **dict.fromkeys(names),
            "text": f"お部屋 {number} の件です",
            "from_name": "佐藤",
            "from_address": "+81312345678",
            "to_address": "+819012345678",
            **values,
        },
        hashlib.shake_128(f"salt {number}".encode()).digest(16 * len(names)),
    )


def event(number: int, **values: str | None) -> StoredRow:
    return StoredRow(
        "event",
        {
            **dict.fromkeys(OPEN["event"]),
            "id": f"0192f0a0-0000-7000-8000-e{number:011x}",
            "tenant": "",
            "kind": "delivery.sent",
            "subject_type": "message",
            "subject_id": f"0192f0a0-0000-7000-8000-{number:012x}",
            "actor_type": "system",
            "actor": "",
            "occurred_at": f"2026-11-24T09:{number % 60:02d}:01.000000Z",
            "recorded_at": f"2026-11-24T09:{number % 60:02d}:01.000001Z",
            "data": '{"attempt":1}',
        },
        {"reason": None, "details": None, **values},
        hashlib.shake_128(f"event salt {number}".encode()).digest(32),
    )


def export_event(redacted: Collection[str], *, attachments: bool) -> StoredRow:
    row = event(0xE0, details=None)
    data = {"attachments": attachments, "redacted": list(redacted)}
    row.open_values |= {"kind": "export.bundle", "subject_type": "export", "data": canonical_json(data)}
    return row


def erasure_event(number: int, of: StoredRow) -> StoredRow:
    row = event(0xA00 + number)
    row.open_values |= {"kind": "erasure.request", "subject_type": of.kind, "subject_id": of.open_values["id"]}
    return row


def listing(*files: bytes) -> str:
    """A message's list of these files."""
    return canonical_json(
        [
            {
                "name": "a.pdf",
                "type": "application/pdf",
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "kind": "attachment",
            }
            for data in files
        ]
    )


@dataclass
class Record:
    """Rows in leaf order. :meth:`add` seals them; any later change in ``rows`` is tampering."""

    rows: list[StoredRow] = field(default_factory=list)
    store: TileStore = field(default_factory=TileStore)
    hashes: bytes = b""
    #: The files that the messages name.
    files: Collection[bytes] = ()

    def add(self, *rows: StoredRow) -> "Record":
        sealed = b"".join(row.seal() for row in rows)
        self.rows.extend(rows)
        self.store.append(sealed)
        self.hashes += sealed
        return self

    def checkpoint(self, key: SigningKey = KEY, size: int | None = None) -> str:
        size = self.store.size if size is None else size
        return Checkpoint(ORIGIN, size, tree_root(self.hashes[: 32 * size])).sign(key)

    def bundle(
        self,
        *,
        show: Callable[[int, StoredRow], bool] = lambda index, row: True,
        redacted: Collection[str] = (),
        key: SigningKey = KEY,
        splits: Collection[int] = (),
        attachments: Collection[bytes] | None = None,
        without_files: bool = False,
        what: Mapping[str, object] | None = None,
        filters: Mapping[str, str] | None = None,
        keys: Collection[SigningKey] = (KEY,),
        checkpoint: str | None = None,
    ) -> bytes:
        exported = None
        if redacted or without_files:
            exported = export_event(sorted(redacted), attachments=not without_files)
            self.add(exported)
        shown = [(index, row) for index, row in enumerate(self.rows) if row is exported or show(index, row)]
        out = io.BytesIO()
        writer = BundleWriter(out)
        for kind in OPEN:
            writer.add_rows(
                kind,
                (
                    row_line(
                        kind,
                        index,
                        open_values=row.open_values,
                        values=row.values,
                        salt=row.salt,
                        digests=row.digests,
                        redacted=[name for name in redacted if name in row.values],
                    )
                    for index, row in shown
                    if row.kind == kind
                ),
            )
        size = self.store.size
        writer.add_proofs(cover(((index, row.kind) for index, row in shown), size, self.store.read, splits))
        for data in (() if without_files else self.files) if attachments is None else attachments:
            writer.add(f"attachments/{hashlib.sha256(data).hexdigest()}", [data], packed=True)
        writer.finish(
            checkpoint=checkpoint or self.checkpoint(key),
            key=key,
            keys=[one.verifier for one in keys],
            created_at="2026-11-24T10:00:00.000000Z",
            what={
                "messages": sum(row.kind == "message" for _index, row in shown),
                "events": sum(row.kind == "event" for _index, row in shown),
                "redacted": sorted(redacted),
                "attachments": not without_files,
                "whole": len(shown) == len(self.rows),
                "export": None if exported is None else exported.open_values["id"],
                **(what or {}),
            },
            filters=filters or {},
        )
        return out.getvalue()


def sample(count: int = 12, files: Collection[bytes] = ()) -> Record:
    """``count`` messages, each followed by an event; the first message has every field and names the ``files``, the
    second event has a reason."""
    record = Record(files=files)
    for number in range(count):
        full = (
            {"subject": "件名", "quoted": "> 前回", "to_name": "山田", "details": "{}", "files": listing(*files)}
            if number == 0
            else {}
        )
        record.add(message(number, **full), event(number, **({"reason": "急病のため"} if number == 1 else {})))
    return record


def unzip(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def relist(files: dict[str, bytes], key: SigningKey | None = None) -> dict[str, bytes]:
    """Adapt the manifest to altered files, and sign it with ``key`` if the forger has one."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: {
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            **({"rows": data.count(b"\n")} if name.endswith(".jsonl") else {}),
        }
        for name, data in sorted(files.items())
        if not name.startswith("manifest.")
    }
    text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    changed = {**files, "manifest.json": text.encode() + b"\n"}
    if key is not None:
        digest = hashlib.sha256(changed["manifest.json"]).hexdigest()
        changed["manifest.sig"] = key.sign(f"crm_contact_guard/manifest/1\n{ORIGIN}\n{digest}\n").encode()
    return changed


def claim(files: dict[str, bytes], filters: object = None, **what: object) -> dict[str, bytes]:
    """Other claims in the manifest, re-signed by the key's holder."""
    manifest = json.loads(files["manifest.json"])
    manifest["what"] |= what
    if filters is not None:
        manifest["filters"] = filters
    return relist({**files, "manifest.json": json.dumps(manifest).encode()}, KEY)


def verify(bundle: bytes, **options: object) -> Report:
    return verify_bundle(io.BytesIO(bundle), **options)  # type: ignore[arg-type]


def lines(files: dict[str, bytes], name: str) -> list[bytes]:
    return files[name].splitlines(keepends=True)

"""The format of a bundle. The exporter writes it and the verifier reads it with these functions.

A bundle is a zip (stored or deflated) with:

``messages.jsonl``, ``events.jsonl``
    One row per line, by ascending leaf index. A line contains the open and the personal values by name (null for no
    value; see docs/decisions/0001-leaf-format.md), then ``proof`` with these members: ``format``; ``index``, the index
    of the leaf; ``salts``, the field salt in hex of each disclosed personal value; ``digests``, the field digest in hex
    of each personal value, disclosed or not; ``content``, the content digest in hex (null if all fields are null). A
    field with a digest but no value was redacted or erased.
``proofs.jsonl``
    The cover of the tree (:mod:`.cover`), one part per line. A part has the members ``start``, ``width``, ``hash`` and,
    for a row of this bundle, ``row``.
``manifest.json``
    ``format``, ``origin`` (name of the record), ``created_at``, ``filters`` (name → text), ``checkpoint`` (the signed
    tree head), ``files`` and ``what``. ``files`` lists every file except the manifest itself and its signature: name →
    ``sha256``, ``bytes`` and, for line files, ``rows``. ``what`` describes the export: the number of ``messages`` and
    ``events``; ``redacted``, the names of the personal fields that are withheld; ``attachments``, false if files are
    withheld; ``whole``, true for the whole record; ``export``, the ID of the ``export.bundle`` event that recorded this
    export and says the same (null if nothing is withheld).
``manifest.sig``
    A signed note with the lines ``crm_contact_guard/manifest/1``, the origin and the SHA-256 of ``manifest.json`` in
    hex.
``public_key.txt``
    The verifier keys of the record, the current one first.
``VERIFY.md``, ``attachments/<sha256>``, and all other files that the manifest lists.

All JSON is canonical (fixed order of members, no spaces). A line that differs by even one byte from what this module
writes is refused, so that all readers see the same.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .canonical import (
    DIGEST_BYTES,
    FIELD_SALT_BYTES,
    FORMAT,
    NO_VALUE,
    OPEN,
    PERSONAL,
    RowKind,
    field_digest,
    leaf_bytes,
    leaf_hash,
)
from .cover import Part
from .errors import FormatBroken, NotCanonical
from .strict import load

__all__ = [
    "PROOFS",
    "ROWS",
    "UNNAMED",
    "Row",
    "parse_part",
    "parse_row",
    "part_line",
    "row_fault",
    "row_line",
]

PROOFS: Final = "proofs.jsonl"
ROWS: Final[Mapping[RowKind, str]] = {"message": "messages.jsonl", "event": "events.jsonl"}

#: The fault of a row whose leaf doesn't show which value differs.
UNNAMED: Final = "its ids, times, codes or digests differ from what was sealed"

_TEXT_OR_NULL: Final = {str, type(None)}
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_NUMBER: Final = rb"(0|[1-9][0-9]{0,18})"
_PART: Final = re.compile(
    rb'\{"start":' + _NUMBER + rb',"width":' + _NUMBER.replace(b"0|", b"") + rb',"hash":"([0-9a-f]{64})"'
    rb'(?:,"row":"(message|event)")?\}\n'
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a bundle, with ``digests`` of all fields that have a value and ``salts`` of the disclosed fields."""

    kind: RowKind
    index: int
    open_values: Mapping[str, str | None]
    values: Mapping[str, str | None]
    salts: Mapping[str, bytes]
    digests: Mapping[str, bytes]
    content: bytes

    @property
    def label(self) -> str:
        """The name of the row in a report: kind, ID and minute."""
        moment = str(self.open_values["occurred_at"])[:16].replace("T", " ")
        return f"{self.kind} {self.open_values['id']} of {moment}"

    @property
    def withheld(self) -> list[str]:
        """Personal fields whose value is redacted or erased."""
        return [name for name in self.digests if self.values[name] is None]

    def members(self) -> dict[str, Any]:
        """Return the members of the row's line."""
        proof = {
            "format": FORMAT,
            "index": self.index,
            "salts": {name: salt.hex() for name, salt in self.salts.items()},
            "digests": {name: digest.hex() for name, digest in self.digests.items()},
            "content": None if self.content == NO_VALUE else self.content.hex(),
        }
        return {**self.open_values, **self.values, "proof": proof}

    def leaf_hash(self) -> bytes:
        """Compute the leaf hash from the row's open values and digests. Raises NotCanonical."""
        digests = [self.digests.get(name, NO_VALUE) for name in PERSONAL[self.kind]]
        return leaf_hash(leaf_bytes(self.kind, self.open_values, b"".join([*digests, self.content])))


def row_line(
    kind: RowKind,
    index: int,
    *,
    open_values: Mapping[str, str | None],
    values: Mapping[str, str | None],
    salt: bytes | None,
    digests: bytes,
    redacted: Collection[str] = (),
) -> bytes:
    """Return the line of a stored row, with its line feed.

    ``values`` are the personal values, ``salt`` is the row salt (None after erasure), ``digests`` are the digests as
    stored, and ``redacted`` names the fields whose values must not be disclosed. A row that was tampered with is
    written as stored, so that the verifier reports it.
    """
    names = PERSONAL[kind]
    salt = salt or b""
    # Stored digests of the wrong size must be reported by the verifier instead of aborting the export.
    digests = digests.ljust(DIGEST_BYTES * (len(names) + 1), b"\0")
    shown = {name: None if name in redacted else values[name] for name in names}
    fields = {name: digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES] for at, name in enumerate(names)}
    salts = {name: salt[at * FIELD_SALT_BYTES : (at + 1) * FIELD_SALT_BYTES] for at, name in enumerate(names)}
    return _write(
        Row(
            kind=kind,
            index=index,
            open_values={name: open_values[name] for name in OPEN[kind]},
            values=shown,
            salts={name: salts[name] for name in names if shown[name] is not None},
            digests={name: fields[name] for name in names if fields[name] != NO_VALUE},
            content=digests[len(names) * DIGEST_BYTES : (len(names) + 1) * DIGEST_BYTES],
        )
    )


def _write(row: Row) -> bytes:
    return _dump(row.members())


def parse_row(kind: RowKind, line: bytes) -> Row:
    """Parse a line of a row file. Raises FormatBroken if :func:`row_line` could not have written it."""
    members = load(line)
    names = PERSONAL[kind]
    proof = members.get("proof")
    if tuple(members) != (*OPEN[kind], *names, "proof") or not isinstance(proof, dict) or proof.get("format") != FORMAT:
        raise FormatBroken(f"is no {kind} of format 1")
    if not {type(value) for value in members.values() if value is not proof} <= _TEXT_OR_NULL:
        raise FormatBroken("has a value that is not text")
    try:
        row = Row(
            kind=kind,
            index=proof["index"],
            open_values={name: members[name] for name in OPEN[kind]},
            values={name: members[name] for name in names},
            salts={name: _unhex(salt, FIELD_SALT_BYTES) for name, salt in proof["salts"].items()},
            digests={name: _unhex(digest, DIGEST_BYTES) for name, digest in proof["digests"].items()},
            content=NO_VALUE if proof["content"] is None else _unhex(proof["content"], DIGEST_BYTES),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise FormatBroken("has a proof that cannot be read") from None
    if type(row.index) is not int or row.index < 0:
        raise FormatBroken("has no leaf index")
    if list(row.salts) != [name for name in names if members[name] is not None]:
        raise FormatBroken("has a personal value without its salt, or a salt without its value")
    if list(row.digests) != [name for name in names if row.digests.get(name, NO_VALUE) != NO_VALUE]:
        raise FormatBroken("has digests out of order or of unknown fields")
    if _write(row) != line:
        raise FormatBroken("is not written canonically")
    return row


def row_fault(row: Row, sealed: bytes) -> str | None:
    """Return how ``row`` differs from what was sealed with leaf hash ``sealed``; None if it does not."""
    names = PERSONAL[row.kind]
    changed = [
        name
        for name in names
        if row.values[name] is not None and field_digest(row.salts[name], row.values[name]) != row.digests.get(name)
    ]
    try:
        holds = row.leaf_hash() == sealed
    except NotCanonical as broken:
        return str(broken)
    if holds:
        return _differ(changed) if changed else None
    if changed:
        return f"{_differ(changed)}, and so does the rest of the row"
    return UNNAMED


def _differ(names: list[str]) -> str:
    return f"{' and '.join(names)} {'differs' if len(names) == 1 else 'differ'} from what was sealed"


def part_line(part: Part) -> bytes:
    """Return a line of ``proofs.jsonl``, with its line feed."""
    row = "" if part.row is None else f',"row":"{part.row}"'
    return f'{{"start":{part.start},"width":{part.width},"hash":"{part.hash.hex()}"{row}}}\n'.encode()


def parse_part(line: bytes) -> Part:
    """Parse the result of :func:`part_line`. Raises FormatBroken."""
    match = _PART.fullmatch(line)
    if match is None:
        raise FormatBroken("is not a part of a tree")
    row: RowKind | None = None if match[4] is None else "message" if match[4] == b"message" else "event"
    part = Part(int(match[1]), int(match[2]), bytes.fromhex(match[3].decode()), row)
    if row and part.width != 1:
        raise FormatBroken("is not a part of a tree")
    return part


def _dump(value: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass") + b"\n"


def _unhex(text: str, size: int) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != size or data.hex() != text:
        raise ValueError(f"not {size} bytes in lower-case hex")
    return data

"""Canonical bytes of a recorded row: leaf format 1, which is permanent (docs/decisions/0001-leaf-format.md).

Recording and verification both call these functions. All hashes are SHA-256 (FIPS 180-4), with domains separated by the
first byte, as in RFC 6962 §2.1:

- ``00`` leaf, ``01`` inner node of the tree (RFC 6962),
- ``02`` one personal field: ``SHA-256(02 ‖ field salt ‖ UTF-8 of the value)``,
- ``03`` all personal fields of a row at once: ``SHA-256(03 ‖ row salt ‖ lengths ‖ values)``.

The **row salt** is 16 random bytes per personal field, concatenated in the field order; a **field salt** is its slice.
To disclose a field, a bundle includes its value and salt, which reveal nothing about the other fields. To redact a
field, a bundle includes only its digest.

Text is hashed as the database stores it: no Unicode normalisation, no case folding, no trimming.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal

from .errors import NotCanonical

__all__ = [
    "DIGEST_BYTES",
    "EVENT_OPEN",
    "EVENT_PERSONAL",
    "FIELD_SALT_BYTES",
    "FORMAT",
    "MESSAGE_OPEN",
    "MESSAGE_PERSONAL",
    "NO_VALUE",
    "OPEN",
    "PERSONAL",
    "RowKind",
    "canonical_json",
    "canonical_text",
    "canonical_time",
    "content_digest",
    "content_digest_of",
    "field_digest",
    "field_salt",
    "leaf_bytes",
    "leaf_hash",
    "new_salt",
    "personal_digests",
]

RowKind = Literal["message", "event"]

FORMAT: Final = 1
DIGEST_BYTES: Final = 32
FIELD_SALT_BYTES: Final = 16
NO_VALUE: Final = bytes(DIGEST_BYTES)
"""The digest of a null field. No value hashes to it, so a field without a value differs from a withheld one."""

MESSAGE_PERSONAL: Final[tuple[str, ...]] = (
    "subject",
    "text",
    "quoted",
    "from_name",
    "from_address",
    "to_name",
    "to_address",
    "details",
    "files",
)
EVENT_PERSONAL: Final[tuple[str, ...]] = ("reason", "details")
MESSAGE_OPEN: Final[tuple[str, ...]] = (
    "id",
    "tenant",
    "conversation",
    "customer",
    "employee",
    "direction",
    "channel",
    "kind",
    "occurred_at",
    "recorded_at",
    "carrier_id",
    "reply_to",
    "source",
)
EVENT_OPEN: Final[tuple[str, ...]] = (
    "id",
    "tenant",
    "kind",
    "subject_type",
    "subject_id",
    "conversation",
    "message",
    "actor_type",
    "actor",
    "occurred_at",
    "recorded_at",
    "data",
)
PERSONAL: Final[Mapping[RowKind, tuple[str, ...]]] = {"message": MESSAGE_PERSONAL, "event": EVENT_PERSONAL}
OPEN: Final[Mapping[RowKind, tuple[str, ...]]] = {"message": MESSAGE_OPEN, "event": EVENT_OPEN}

_HEADER: Final[Mapping[RowKind, str]] = {kind: f"crm_contact_guard/{FORMAT}/{kind}\n" for kind in ("message", "event")}
_NULL: Final = "\t"
_LARGEST_INTEGER: Final = 2**53 - 1


def new_salt(names: Sequence[str]) -> bytes:
    """Return a fresh row salt: 16 random bytes per field of ``names`` (144 for a message, 32 for an event)."""
    return os.urandom(FIELD_SALT_BYTES * len(names))


def field_salt(names: Sequence[str], salt: bytes, name: str) -> bytes:
    """Return the slice of the row salt for ``name``.

    Raises NotCanonical for a salt of the wrong size, ValueError for a name that is not among ``names``.
    """
    if len(salt) != FIELD_SALT_BYTES * len(names):
        raise NotCanonical(
            f"a row salt of {len(names)} fields has {FIELD_SALT_BYTES * len(names)} bytes, not {len(salt)}"
        )
    start = FIELD_SALT_BYTES * names.index(name)
    return salt[start : start + FIELD_SALT_BYTES]


def field_digest(field_salt: bytes, value: str | None) -> bytes:
    """Return the 32-byte digest of one personal field: ``SHA-256(02 ‖ field salt ‖ UTF-8)``; zero bytes for null."""
    if value is None:
        return NO_VALUE
    if len(field_salt) != FIELD_SALT_BYTES:
        raise NotCanonical(f"a field salt has {FIELD_SALT_BYTES} bytes, not {len(field_salt)}")
    return sha256(b"\x02" + field_salt + value.encode()).digest()


def content_digest(names: Sequence[str], salt: bytes, values: Mapping[str, str | None]) -> bytes:
    """Return the digest of all personal fields together, so that checking a whole row takes two hashes.

    ``SHA-256(03 ‖ row salt ‖ lengths ‖ ":" ‖ values)``: ``lengths`` are the UTF-8 byte lengths in decimal in field
    order, separated by commas, empty for null; ``values`` are the values without separators. If all fields are null,
    the digest is 32 zero bytes.
    """
    parts = [None if (value := values[name]) is None else value.encode() for name in names]
    return content_digest_of(salt, parts, len(names))


def content_digest_of(salt: bytes, parts: Sequence[bytes | bytearray | None], count: int) -> bytes:
    """Return :func:`content_digest` of UTF-8 values in field order. ``count`` is the number of fields."""
    present = [part for part in parts if part is not None]
    if not present:
        return NO_VALUE
    if len(salt) != FIELD_SALT_BYTES * count:
        raise NotCanonical(f"a row salt of {count} fields has {FIELD_SALT_BYTES * count} bytes, not {len(salt)}")
    lengths = ",".join(["" if part is None else str(len(part)) for part in parts])
    return sha256(b"".join((b"\x03", salt, lengths.encode(), b":", *present))).digest()


def personal_digests(names: Sequence[str], salt: bytes, values: Mapping[str, str | None]) -> bytes:
    """Return the digests of the personal fields in order, then that of all of them: ``32 · (len(names) + 1)`` bytes.

    ``salt`` is the row salt (see :func:`new_salt`); it may be empty if every value is null. Raises NotCanonical for a
    salt of another size, KeyError if a field is missing from ``values``, UnicodeEncodeError for a lone surrogate
    (:func:`canonical_text` removes them).
    """
    parts: list[bytes | None] = []
    digests: list[bytes] = []
    start = 0
    for name in names:
        value = values[name]
        if value is None:
            parts.append(None)
            digests.append(NO_VALUE)
        else:
            part = value.encode()
            parts.append(part)
            digests.append(sha256(b"\x02" + salt[start : start + FIELD_SALT_BYTES] + part).digest())
        start += FIELD_SALT_BYTES
    digests.append(content_digest_of(salt, parts, len(names)))
    return b"".join(digests)


def leaf_bytes(row_kind: RowKind, open_values: Mapping[str, str | None], digests: bytes) -> bytes:
    """Return the bytes of a leaf: a header line, one line per open value in fixed order, then the digests.

    Null is written as a line with a single tab. Open values contain neither tabs nor line breaks, so different rows
    have different leaves. Raises NotCanonical if an open value contains one or ``digests`` has the wrong size, KeyError
    if an open value is missing.
    """
    names = OPEN[row_kind]
    values = [open_values[name] for name in names]
    text = _HEADER[row_kind] + "\n".join([_NULL if value is None else value for value in values]) + "\n"
    if text.count("\n") != len(names) + 1 or text.count("\t") != values.count(None):
        raise NotCanonical(f"{row_kind}: {_broken(names, values)} holds a tab or a line break")
    if len(digests) != DIGEST_BYTES * (len(PERSONAL[row_kind]) + 1):
        raise NotCanonical(f"{row_kind}: {len(digests)} bytes of digests")
    return text.encode() + digests


def _broken(names: Sequence[str], values: Sequence[str | None]) -> str:
    return next(
        name
        for name, value in zip(names, values, strict=True)
        if value is not None and ("\n" in value or "\t" in value)
    )


def leaf_hash(leaf: bytes) -> bytes:
    """Return the RFC 6962 §2.1 hash of a leaf: ``SHA-256(00 ‖ leaf)``."""
    return sha256(b"\x00" + leaf).digest()


def canonical_text(value: str) -> str:
    """Make ``value`` storable in every database: NUL and lone surrogates become U+FFFD. Nothing else changes."""
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        # Convert through UTF-16, so that surrogate pairs become the character that they encode.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def canonical_time(moment: datetime) -> str:
    """Return a time in UTC with microseconds: ``2026-11-24T09:12:00.123456Z``. Raises NotCanonical for a naive time."""
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise NotCanonical("a time without a zone")
        moment = moment.astimezone(UTC)
    # isoformat() without arguments is faster, and includes microseconds unless they are zero.
    return (moment.isoformat()[:26] if moment.microsecond else moment.isoformat("T", "microseconds")[:26]) + "Z"


def canonical_json(value: object) -> str:
    """Return RFC 8785 JSON for strings, whole numbers up to ±(2⁵³−1), booleans, null, lists and dicts with text keys.

    Text is passed through :func:`canonical_text`. Raises NotCanonical for a float (PostgreSQL's jsonb turns ``1e16``
    into an integer, so floats do not survive storage), any other type, or two keys that become equal.
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), check_circular=False)


def _plain(value: object) -> object:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return canonical_text(value)
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise NotCanonical(f"{value} does not fit into the integers that every JSON reader keeps")
        return int(value)
    if isinstance(value, Mapping):
        return _plain_dict(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise NotCanonical(f"{type(value).__name__} has no canonical JSON form")


def _plain_dict(value: Mapping[object, object]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotCanonical(f"a key of type {type(key).__name__}")
        name = canonical_text(key)
        if name in members:
            raise NotCanonical("two keys become one")
        members[name] = _plain(item)
    # RFC 8785 §3.2.3 orders by UTF-16 code units.
    return dict(sorted(members.items(), key=lambda member: member[0].encode("utf-16-be")))

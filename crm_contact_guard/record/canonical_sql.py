"""SQL that returns recorded rows as the text of their leaves, without building model objects.

The database only formats what it stores; Python computes every hash. No two stored values give the same text, so any
change is detected. On PostgreSQL, every function and operator is schema-qualified. SQLite stores values of any type, so
Python formats its rows (``record.sqlite_rows``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record import sqlite_rows
from crm_contact_guard.record.models import RECORDED_MODELS
from crm_contact_guard.record.sqlite_rows import ODD, is_id

MODELS: Final = RECORDED_MODELS

_TIMES: Final = {
    # to_char would format a year BC like the same year AD.
    "postgresql": """CASE WHEN {c} OPERATOR(pg_catalog.>=) '0001-01-01 00:00:00+00'::pg_catalog.timestamptz THEN"""
    """ pg_catalog.to_char(pg_catalog.timezone('UTC'::pg_catalog.text, {c}),"""
    """ 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'::pg_catalog.text) END""",
    "mysql": "DATE_FORMAT({c}, '%%Y-%%m-%%dT%%H:%%i:%%s.%%fZ')",
}
_IDS: Final = {
    # A superuser can redefine a cast, so none is used here.
    "postgresql": "pg_catalog.textin(pg_catalog.uuid_out({c}))",
    "native": "CAST({c} AS CHAR(36))",
    # The last SUBSTR is open-ended, so that appended characters are not lost.
    "mysql": "CONCAT(SUBSTR({c}, 1, 8), '-', SUBSTR({c}, 9, 4), '-', SUBSTR({c}, 13, 4), '-', SUBSTR({c}, 17, 4), '-',"
    " SUBSTR({c}, 21))",
}
#: Line feed and tab. MariaDB would read escapes literally in a session with NO_BACKSLASH_ESCAPES.
_ENDS: Final = {
    "postgresql": ("E'\\n'", "E'\\t'"),
    "mysql": ("CHAR(10 USING utf8mb4)", "CHAR(9 USING utf8mb4)"),
}
#: Prefix of a built-in function. Without it, PostgreSQL might pick a better match from another schema.
BUILT_IN: Final = {"postgresql": "pg_catalog.", "mysql": ""}


#: Invalid UTF-8 becomes lone surrogates, which no genuine row contains, and encodes back to the same bytes.
_SURROGATES: Final = "surrogateescape"


def as_bytes(value: Any) -> bytes:
    """Return a binary value as bytes. Encode a forged value of another type so that it can be compared."""
    if isinstance(value, bytearray):  # text in SQLite
        return b"\0not a BLOB: " + value
    return str(value).encode("utf-8", _SURROGATES) if isinstance(value, str | int | float) else bytes(value or b"")


@dataclass(slots=True)  # not frozen: that would triple the time it takes to create one
class StoredRow:
    """A recorded row as stored. ``lines`` contains its open values, one per line, with a tab for null."""

    kind: RowKind
    id: bytes
    lines: str
    digests: bytes
    leaf_hash: bytes
    salt: bytes | None
    format: Any
    values: tuple[str | None, ...]

    def leaf(self) -> bytes:
        """Return the bytes of the row's leaf, as ``proof.canonical.leaf_bytes`` does."""
        return HEADERS[self.kind] + self.line_bytes() + self.digests

    def line_bytes(self) -> bytes:
        """Return the open lines as stored bytes."""
        return self.lines.encode("utf-8", _SURROGATES)

    def open_values(self) -> dict[str, str | None]:
        """Return the open values by name. If a row was tampered with and lacks lines, the missing values are None."""
        names = canonical.OPEN[self.kind]
        lines = self.lines.removesuffix("\n").split("\n", len(names) - 1)
        lines += ["\t"] * (len(names) - len(lines))
        return {name: None if line == "\t" else line for name, line in zip(names, lines, strict=True)}

    def personal(self) -> dict[str, str | None]:
        """Return the personal values by name."""
        return dict(zip(canonical.PERSONAL[self.kind], self.values, strict=True))


def _header(kind: RowKind) -> bytes:
    names, size = canonical.OPEN[kind], canonical.DIGEST_BYTES * (len(canonical.PERSONAL[kind]) + 1)
    return canonical.leaf_bytes(kind, dict.fromkeys(names, ""), bytes(size))[: -len(names) - size]


#: The first line of a leaf, by kind of row.
HEADERS: Final[dict[RowKind, bytes]] = {"message": _header("message"), "event": _header("event")}


def fetch(using: str, kind: RowKind, ids: Iterable[bytes]) -> dict[bytes, StoredRow]:
    """Return the rows of one kind with these IDs (16 bytes each), by ID."""
    connection, ids = connections[using], list(ids)
    if not ids:
        return {}
    if connection.vendor == "sqlite":
        rows = [_of_sqlite(kind, stored) for stored in sqlite_rows.fetch(connection, kind, ids)]
    else:
        with connection.cursor() as cursor:
            cursor.execute(select(connection.vendor, native(connection), kind) + where(connection.vendor, ids), [])
            rows = [_row(kind, row[0], row[1:5], [_as_text(value) for value in row[5:]]) for row in cursor.fetchall()]
    return {row.id: row for row in rows}


def where(vendor: str, ids: Iterable[bytes]) -> str:
    """Return the WHERE clause for these IDs (PostgreSQL, MariaDB)."""
    # Inlined because drivers limit the number of parameters. This is safe, since the IDs are hex digits only.
    if vendor == "postgresql":
        listed = ",".join([row_id.hex() for row_id in ids])
        return f" WHERE id OPERATOR(pg_catalog.=) ANY ('{{{listed}}}'::pg_catalog.uuid[])"
    listed = "','".join([row_id.hex() for row_id in ids])
    return f" WHERE id IN ('{listed}')"


def _as_text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    # Mark a value that isn't text, so that it differs from text with the same characters.
    return ODD + (bytes(value).decode("utf-8", _SURROGATES) if isinstance(value, bytes | memoryview) else str(value))


def _of_sqlite(kind: RowKind, stored: Sequence[Any]) -> StoredRow:
    text, values = sqlite_rows.spelled(kind, tuple(stored))
    count = len(canonical.OPEN[kind])
    return _row(kind, text, stored[count : count + 4], values)


def _row(kind: RowKind, text: str, own: Sequence[Any], values: Sequence[str | None]) -> StoredRow:
    digests, leaf_hash, salt, format_ = own
    return StoredRow(
        kind=kind,
        id=bytes.fromhex(text[:36].replace("-", "")),
        lines=text,
        digests=as_bytes(digests),
        leaf_hash=as_bytes(leaf_hash),
        salt=None if salt is None else as_bytes(salt),
        format=format_,
        values=tuple(values),
    )


@lru_cache(maxsize=16)
def select(vendor: str, native_uuid: bool, kind: RowKind) -> str:
    """Return a ``SELECT`` of a table's open lines, digests, leaf hash, salt, format and personal values."""
    model = MODELS[kind]
    personal = ", ".join(_quoted(vendor, name) for name in canonical.PERSONAL[kind])
    return (
        f"SELECT {lines(vendor, native_uuid, kind)}, digests, leaf_hash, salt, format, {personal}"
        f" FROM {_quoted(vendor, model._meta.db_table)}"
    )


def lines(vendor: str, native_uuid: bool, kind: RowKind) -> str:
    """Return an SQL expression for a row's open values, each followed by a line feed (PostgreSQL, MariaDB)."""
    feed, null = _ENDS[vendor]
    fields = [MODELS[kind]._meta.get_field(name) for name in canonical.OPEN[kind]]
    texts = [_text(vendor, native_uuid, field, null) for field in fields]
    return f"{BUILT_IN[vendor]}concat_ws({feed}, {', '.join(texts)}, '')"


def contents(vendor: str, kind: RowKind) -> str:
    """Return an SQL expression for the byte lengths and values of a row's personal fields.

    The expression yields the bytes that ``proof.canonical`` hashes, or null if all fields are null.
    """
    names = [_quoted(vendor, name) for name in canonical.PERSONAL[kind]]
    if vendor == "postgresql":
        lengths = ", ',', ".join(f"pg_catalog.octet_length({name})" for name in names)
        spelled = utf8(f"pg_catalog.concat({lengths}, ':', {', '.join(names)})")
    else:
        lengths = ", ',', ".join(f"coalesce(length({name}), '')" for name in names)
        spelled = f"CAST(CONCAT({lengths}, ':', {', '.join(_or_empty(name) for name in names)}) AS BINARY)"
    return f"CASE WHEN coalesce({', '.join(names)}) IS NOT NULL THEN {spelled} END"


def utf8(text: str) -> str:
    """Return a PostgreSQL expression for the UTF-8 bytes of the expression ``text``."""
    return f"pg_catalog.convert_to({text}, 'UTF8'::pg_catalog.name)"


def _or_empty(name: str) -> str:
    return f"coalesce({name}, '')"


def native(connection: BaseDatabaseWrapper) -> bool:
    """Whether this database has a UUID type."""
    return bool(connection.features.has_native_uuid_field)


def _text(vendor: str, native_uuid: bool, field: Any, null: str) -> str:
    column = _quoted(vendor, field.column)
    if is_id(field):
        text = _IDS[vendor if vendor == "postgresql" or not native_uuid else "native"].format(c=column)
    elif isinstance(field, models.DateTimeField):
        text = _TIMES[vendor].format(c=column)
    else:
        text = column
    # Needed even for NOT NULL columns, because the table's owner may have dropped the constraint.
    return f"coalesce({text}, {null})"


def _quoted(vendor: str, name: str) -> str:
    return f"`{name}`" if vendor == "mysql" else f'"{name}"'

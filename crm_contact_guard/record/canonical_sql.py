"""SQL that returns recorded rows as the text their leaves consist of, so that no model objects need be built.

The database only formats what it stores; every hash is computed in Python. The format is injective: no two stored
values give the same text, so any change shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record.models import Event, Message

MODELS: Final[dict[RowKind, type[Message | Event]]] = {"message": Message, "event": Event}

_TIMES: Final = {
    "postgresql": """to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "sqlite": "replace({c}, ' ', 'T') || CASE length({c}) WHEN 19 THEN '.000000Z' ELSE 'Z' END",
    "mysql": "DATE_FORMAT({c}, '%%Y-%%m-%%dT%%H:%%i:%%s.%%fZ')",
}
_IDS: Final = {
    "postgresql": "{c}::text",
    "native": "CAST({c} AS CHAR(36))",
    # The last substr is open-ended, so that appended characters are not lost.
    "sqlite": "substr({c}, 1, 8) || '-' || substr({c}, 9, 4) || '-' || substr({c}, 13, 4) || '-' || substr({c}, 17, 4)"
    " || '-' || substr({c}, 21)",
    "mysql": "CONCAT(SUBSTR({c}, 1, 8), '-', SUBSTR({c}, 9, 4), '-', SUBSTR({c}, 13, 4), '-', SUBSTR({c}, 17, 4), '-',"
    " SUBSTR({c}, 21))",
}
_ENDS: Final = {"postgresql": ("E'\\n'", "E'\\t'"), "sqlite": ("char(10)", "char(9)"), "mysql": ("'\\n'", "'\\t'")}


#: Invalid UTF-8 becomes lone surrogates, which no genuine row contains, and encodes back to the same bytes.
_SURROGATES: Final = "surrogateescape"


@contextmanager
def any_bytes(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Read text that is not valid UTF-8, which SQLite stores: a forged row must be reported, not abort the check."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    before = connection.connection.text_factory
    connection.connection.text_factory = lambda stored: stored.decode("utf-8", _SURROGATES)
    try:
        yield
    finally:
        connection.connection.text_factory = before


def as_bytes(value: Any) -> bytes:
    """A binary value as bytes; a forged value of another type is encoded so that it can be compared."""
    return str(value).encode("utf-8", _SURROGATES) if isinstance(value, str | int | float) else bytes(value or b"")


def _as_text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    # Not text, so it was forged: the prefix makes it differ from a text of the same characters.
    text = bytes(value).decode("utf-8", _SURROGATES) if isinstance(value, bytes | memoryview) else value
    return f"\udc80{text}"


@dataclass(slots=True)  # not frozen, which would triple the time of making one
class StoredRow:
    """A recorded row as stored. ``lines`` are its open values, one per line, with a tab for null."""

    kind: RowKind
    id: bytes
    lines: str
    digests: bytes
    leaf_hash: bytes
    salt: bytes | None
    format: Any
    values: tuple[str | None, ...]

    def leaf(self) -> bytes:
        """The bytes that enter the tree, the same as from ``proof.canonical.leaf_bytes``."""
        return HEADERS[self.kind] + self.line_bytes() + self.digests

    def line_bytes(self) -> bytes:
        """The open lines as stored bytes."""
        return self.lines.encode("utf-8", _SURROGATES)

    def open_values(self) -> dict[str, str | None]:
        """The open values by name. A row that was tampered with may have too few lines; the rest is None."""
        names = canonical.OPEN[self.kind]
        lines = self.lines.removesuffix("\n").split("\n", len(names) - 1)
        lines += ["\t"] * (len(names) - len(lines))
        return {name: None if line == "\t" else line for name, line in zip(names, lines, strict=True)}

    def personal(self) -> dict[str, str | None]:
        """The personal values by name."""
        return dict(zip(canonical.PERSONAL[self.kind], self.values, strict=True))


def _header(kind: RowKind) -> bytes:
    names, size = canonical.OPEN[kind], canonical.DIGEST_BYTES * (len(canonical.PERSONAL[kind]) + 1)
    return canonical.leaf_bytes(kind, dict.fromkeys(names, ""), bytes(size))[: -len(names) - size]


#: The first line of every leaf of a kind.
HEADERS: Final[dict[RowKind, bytes]] = {"message": _header("message"), "event": _header("event")}


def fetch(using: str, kind: RowKind, ids: Iterable[bytes]) -> dict[bytes, StoredRow]:
    """The rows of one kind with these ids (16 bytes each), by id."""
    connection = connections[using]
    # Inlined since drivers limit the number of parameters; safe since these are hex digits only.
    listed = ",".join([f"'{row_id.hex()}'" for row_id in ids])
    if not listed:
        return {}
    with any_bytes(connection), connection.cursor() as cursor:
        cursor.execute(f"{select(connection.vendor, native(connection), kind)} WHERE id IN ({listed})", [])
        return {row.id: row for row in _rows(kind, cursor.fetchall())}


def _rows(kind: RowKind, fetched: Sequence[Sequence[Any]]) -> list[StoredRow]:
    return [
        StoredRow(
            kind=kind,
            id=bytes.fromhex(row[0][:36].replace("-", "")),
            lines=row[0],
            digests=as_bytes(row[1]),
            leaf_hash=as_bytes(row[2]),
            salt=None if row[3] is None else as_bytes(row[3]),
            format=row[4],
            values=tuple(map(_as_text, row[5:])),
        )
        for row in fetched
    ]


@lru_cache(maxsize=16)
def select(vendor: str, native_uuid: bool, kind: RowKind) -> str:
    """``SELECT`` of the open lines, digests, leaf hash, salt, format and personal values of a recorded table."""
    model = MODELS[kind]
    personal = ", ".join(_quoted(vendor, name) for name in canonical.PERSONAL[kind])
    return (
        f"SELECT {lines(vendor, native_uuid, kind)}, digests, leaf_hash, salt, format, {personal}"
        f" FROM {model._meta.db_table}"
    )


def lines(vendor: str, native_uuid: bool, kind: RowKind, *, dashed: bool = True) -> str:
    """SQL expression for the open values of a row, each followed by a line feed. ``dashed=False``: UUIDs as stored."""
    feed, null = _ENDS[vendor]
    fields = [MODELS[kind]._meta.get_field(name) for name in canonical.OPEN[kind]]
    texts = [_text(vendor, native_uuid, field, null, dashed) for field in fields]
    if vendor == "sqlite":
        return f" || {feed} || ".join(texts) + f" || {feed}"
    return f"concat_ws({feed}, {', '.join(texts)}, '')"


def contents(vendor: str, kind: RowKind) -> str:
    """SQL expression for the byte lengths and values of a row's personal fields, as ``proof.canonical`` hashes them.

    Its type is binary; null if all fields are null.
    """
    names = [_quoted(vendor, name) for name in canonical.PERSONAL[kind]]
    if vendor == "postgresql":
        lengths = ", ',', ".join(f"octet_length({name})" for name in names)
        spelled = f"convert_to(concat({lengths}, ':', {', '.join(names)}), 'UTF8')"
    elif vendor == "sqlite":
        lengths = " || ',' || ".join(f"coalesce(length(CAST({name} AS BLOB)), '')" for name in names)
        spelled = f"CAST({lengths} || ':' || {' || '.join(_or_empty(name) for name in names)} AS BLOB)"
    else:
        lengths = ", ',', ".join(f"coalesce(length({name}), '')" for name in names)
        spelled = f"CAST(CONCAT({lengths}, ':', {', '.join(_or_empty(name) for name in names)}) AS BINARY)"
    return f"CASE WHEN coalesce({', '.join(names)}) IS NOT NULL THEN {spelled} END"


def _or_empty(name: str) -> str:
    return f"coalesce({name}, '')"


def native(connection: BaseDatabaseWrapper) -> bool:
    """Whether this database has a UUID type."""
    return bool(connection.features.has_native_uuid_field)


def is_id(field: Any) -> bool:
    """Whether this field holds a UUID or refers to a row by UUID."""
    return isinstance(field.target_field if isinstance(field, models.ForeignKey) else field, models.UUIDField)


def _text(vendor: str, native_uuid: bool, field: Any, null: str, dashed: bool) -> str:
    column = _quoted(vendor, field.column)
    if is_id(field) and dashed:
        text = _IDS[vendor if vendor == "postgresql" or not native_uuid else "native"].format(c=column)
    elif isinstance(field, models.DateTimeField):
        text = _TIMES[vendor].format(c=column)
    else:
        text = column
    text = f"({text})" if vendor == "sqlite" else text
    # Also for NOT NULL columns: the table's owner may have dropped the constraint.
    return f"coalesce({text}, {null})"


def _quoted(vendor: str, name: str) -> str:
    return f"`{name}`" if vendor == "mysql" else f'"{name}"'

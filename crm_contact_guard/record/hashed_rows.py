"""Check millions of recorded rows against their leaf hashes.

The database concatenates the values of each row; Python computes two hashes per row and creates no object per value.
Rows that fail are read again by ``canonical_sql.fetch``, which returns the values one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.proof.canonical import DIGEST_BYTES, FIELD_SALT_BYTES, FORMAT, NO_VALUE, OPEN, PERSONAL, RowKind
from crm_contact_guard.record.canonical_sql import HEADERS, MODELS, any_bytes, contents, is_id, lines, native

#: The leaf hash that a row was sealed with, and the earliest and latest allowed ``recorded_at``.
Expected = tuple[bytes, bytes, bytes]

#: Turns the value from the database into the lines of a row and its ``recorded_at``.
ReadLines = Callable[[Any], tuple[bytes, bytes]]

#: Index of the line that holds ``recorded_at`` in a leaf.
RECORDED: Final = {kind: names.index("recorded_at") for kind, names in OPEN.items()}
_BINARY: Final = {"sqlite": "BLOB", "mysql": "BINARY"}
#: Rows fetched at a time.
_CHUNK: Final = 256


def compare(using: str, kind: RowKind, expected: Mapping[bytes, Expected], files: dict[bytes, str]) -> set[bytes]:
    """Ids among ``expected`` (16 bytes each) whose row is missing or differs from what was sealed.

    For rows that match, the list of files (canonical JSON) is added to ``files``.
    """
    connection = connections[using]
    as_id = _id_reader(connection)
    leaf = b"\x00" + HEADERS[kind]
    salt_bytes, open_items = FIELD_SALT_BYTES * len(PERSONAL[kind]), dict(expected)
    read_lines = _line_dasher(kind) if connection.vendor == "sqlite" else _line_reader(kind)
    suspect = set()
    for key, stored, digests, leaf_hash, salt, content, listed in _read(connection, kind, expected):
        row_id, (text, recorded) = as_id(key), read_lines(stored)
        wanted = open_items.pop(row_id, None)
        if wanted is None:
            suspect.add(row_id)  # duplicate id: the primary key was dropped, or another table inherits from this one
            continue
        sealed, low, high = wanted
        if not (type(digests) is type(leaf_hash) is bytes and (salt is None or type(salt) is bytes)):
            suspect.add(row_id)  # SQLite stores a value of any type in any column
            continue
        if content is None:
            intact = digests[-DIGEST_BYTES:] == NO_VALUE
        else:
            intact = (
                salt is not None
                and len(salt) == salt_bytes
                and sha256(b"\x03" + salt + content).digest() == digests[-DIGEST_BYTES:]
            )
        if (
            not intact
            or leaf_hash != sealed
            or sha256(leaf + text + digests).digest() != sealed
            or not low <= recorded <= high
        ):
            suspect.add(row_id)
        elif listed is not None:
            files[row_id] = listed
    return suspect | open_items.keys()


def _read(connection: BaseDatabaseWrapper, kind: RowKind, ids: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    statement = _select(connection.vendor, native(connection), kind)
    if connection.vendor == "postgresql":
        statement += f" WHERE id = ANY('{{{','.join([row_id.hex() for row_id in ids])}}}'::uuid[])"
        yield from stream(connection, statement)
        return
    # Inlined since drivers limit the number of parameters; safe since these are hex digits only.
    listed = "','".join([row_id.hex() for row_id in ids])
    statement += f" WHERE id IN ('{listed}')"
    if connection.vendor == "mysql":
        yield from _unbuffered(connection, statement)
        return
    with any_bytes(connection), connection.cursor() as cursor:
        cursor.execute(statement, [])
        # Chunks are small enough for the CPU cache.
        while chunk := cursor.fetchmany(_CHUNK):
            yield from chunk


def stream(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    """Stream the rows of a PostgreSQL query in chunks, so that the server works on while Python hashes.

    Uses psycopg 3's binary format, or a server-side cursor with psycopg 2.
    """
    connection.ensure_connection()
    if not _has_psycopg3():
        yield from _by_cursor(connection, statement)
        return
    import psycopg  # noqa: PLC0415 - only where it is the host's driver

    size = _CHUNK if psycopg.capabilities.has_stream_chunked() else 1
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield from cursor.stream(statement.encode(), binary=True, size=size)


def _has_psycopg3() -> bool:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3  # noqa: PLC0415 - needs one of the drivers

    return bool(is_psycopg3)


def _by_cursor(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    # Server-side cursors do not work behind a transaction pooler.
    client_side = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    with connection.cursor() if client_side else connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while chunk := cursor.fetchmany(_CHUNK):
            for row in chunk:
                yield tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def _unbuffered(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    """Stream the rows of a MariaDB query in chunks; the default cursor would load all of them first."""
    from MySQLdb.cursors import SSCursor  # noqa: PLC0415 - only where MariaDB is used

    connection.ensure_connection()
    with connection.wrap_database_errors, closing(connection.connection.cursor(SSCursor)) as cursor:
        cursor.execute(statement, ())
        while chunk := cursor.fetchmany(_CHUNK):
            yield from chunk


@lru_cache(maxsize=16)
def _select(vendor: str, native_uuid: bool, kind: RowKind) -> str:
    key = "uuid_send(id)" if vendor == "postgresql" else "id"
    text = lines(vendor, native_uuid, kind, dashed=vendor != "sqlite")
    as_bytes = f"convert_to({text}, 'UTF8')" if vendor == "postgresql" else f"CAST({text} AS {_BINARY[vendor]})"
    listed = "files" if "files" in PERSONAL[kind] else "NULL"
    return (
        # A row of another format gets null digests here, so it fails and is read again.
        f"SELECT {key}, {as_bytes}, CASE WHEN format = {FORMAT} THEN digests END, leaf_hash, salt,"
        f" {contents(vendor, kind)}, {listed}"
        f" FROM {MODELS[kind]._meta.db_table}"
    )


def _line_reader(kind: RowKind) -> ReadLines:
    """A function that returns the lines unchanged, and ``recorded_at`` from them."""
    last = RECORDED[kind] + 1

    def read_lines(text: Any) -> tuple[bytes, bytes]:
        return bytes(text), bytes(text).split(b"\n", last)[last - 1]

    return read_lines


def _line_dasher(kind: RowKind) -> ReadLines:
    """A function that inserts the dashes into a row's UUIDs and caches them. SQLite is slow at this."""
    recorded = RECORDED[kind]
    places = [at for at, name in enumerate(OPEN[kind]) if at and is_id(MODELS[kind]._meta.get_field(name))]
    cache = {b"\t": b"\t"}

    def dash(text: bytes) -> tuple[bytes, bytes]:
        parts = text.split(b"\n")
        for at in places:
            stored = parts[at]
            dashed = cache.get(stored)
            if dashed is None:
                dashed = cache[stored] = _dashed(stored)
            parts[at] = dashed
        parts[0] = _dashed(parts[0])
        return b"\n".join(parts), parts[recorded]

    return dash


def _dashed(stored: bytes) -> bytes:
    # The last slice is open-ended, so that appended characters are not lost.
    return b"-".join((stored[:8], stored[8:12], stored[12:16], stored[16:20], stored[20:]))


def _id_reader(connection: BaseDatabaseWrapper) -> Callable[[Any], bytes]:
    if connection.vendor == "postgresql":
        return bytes
    if native(connection):
        return lambda key: bytes.fromhex(key.replace("-", ""))
    return bytes.fromhex

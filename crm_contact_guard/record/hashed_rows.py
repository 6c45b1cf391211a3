"""Check millions of recorded rows against their leaf hashes.

The database concatenates the values of each row; Python computes two hashes per row and creates no object per value.
SQLite is faster without concatenation. Rows that fail are read again by ``canonical_sql.fetch``, which returns each
value separately.
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
from crm_contact_guard.record import sqlite_rows
from crm_contact_guard.record.canonical_sql import HEADERS, MODELS, contents, lines, native, utf8, where
from crm_contact_guard.record.pinned import qualified

#: The leaf hash that a row was sealed with, and the earliest and latest allowed ``recorded_at``.
Expected = tuple[bytes, bytes, bytes]

#: ID, lines (None if the application would have written them differently), ``recorded_at``, digests, leaf hash, salt,
#: content and files.
_Parts = tuple[bytes, bytes | None, bytes, Any, Any, Any, Any, Any]

#: Index of the line that holds ``recorded_at`` in a leaf.
RECORDED: Final = {kind: names.index("recorded_at") for kind, names in OPEN.items()}
#: Rows fetched at a time.
_CHUNK: Final = 256


def compare(using: str, kind: RowKind, expected: Mapping[bytes, Expected], files: dict[bytes, str]) -> set[bytes]:
    """Return the IDs from ``expected`` (16 bytes each) whose rows are missing or differ from what was sealed.

    The file lists (canonical JSON) of the rows that match are added to ``files``.
    """
    connection = connections[using]
    leaf = b"\x00" + HEADERS[kind]
    salt_bytes, open_items = FIELD_SALT_BYTES * len(PERSONAL[kind]), dict(expected)
    suspect = set()
    read = sqlite_rows.parts if connection.vendor == "sqlite" else _read
    for row_id, text, recorded, digests, leaf_hash, salt, content, listed in read(connection, kind, expected):
        wanted = open_items.pop(row_id, None)
        if wanted is None:
            suspect.add(row_id)  # duplicate ID: the primary key was dropped, or another table inherits from this one
            continue
        sealed, low, high = wanted
        if text is None or not (type(digests) is type(leaf_hash) is bytes and (salt is None or type(salt) is bytes)):
            suspect.add(row_id)  # a type or format that the application never writes
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


def _read(connection: BaseDatabaseWrapper, kind: RowKind, ids: Iterable[bytes]) -> Iterator[_Parts]:
    statement = _select(connection.vendor, native(connection), kind) + where(connection.vendor, ids)
    as_id, last = _id_reader(connection), RECORDED[kind] + 1
    rows = stream(connection, statement) if connection.vendor == "postgresql" else _unbuffered(connection, statement)
    for key, stored, *rest in rows:
        text = bytes(stored)
        yield as_id(key), text, text.split(b"\n", last)[last - 1], *rest


def stream(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    """Stream the rows of a PostgreSQL query in chunks, so that the server keeps working while Python hashes.

    Uses psycopg 3's binary format, or a server-side cursor with psycopg 2.
    """
    connection.ensure_connection()
    if not _has_psycopg3():
        yield from _by_cursor(connection, statement)
        return
    import psycopg  # noqa: PLC0415 - only where it is the host's driver

    size = _CHUNK if psycopg.capabilities.has_stream_chunked() else 1
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield from cursor.stream(qualified(connection, statement).encode(), binary=True, size=size)


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
    key = "pg_catalog.uuid_send(id)" if vendor == "postgresql" else "id"
    text, table = lines(vendor, native_uuid, kind), MODELS[kind]._meta.db_table
    as_bytes = utf8(text) if vendor == "postgresql" else f"CAST({text} AS BINARY)"
    same = "OPERATOR(pg_catalog.=)" if vendor == "postgresql" else "="
    listed = "files" if "files" in PERSONAL[kind] else "NULL"
    return (
        # A row of another format gets null digests here, so it fails and is read again.
        f"SELECT {key}, {as_bytes}, CASE WHEN format {same} {FORMAT} THEN digests END, leaf_hash, salt,"
        f" {contents(vendor, kind)}, {listed}"
        " FROM " + (f'"{table}"' if vendor == "postgresql" else f"`{table}`")
    )


def _id_reader(connection: BaseDatabaseWrapper) -> Callable[[Any], bytes]:
    if connection.vendor == "postgresql":
        return bytes
    if native(connection):
        return lambda key: bytes.fromhex(key.replace("-", ""))
    return bytes.fromhex

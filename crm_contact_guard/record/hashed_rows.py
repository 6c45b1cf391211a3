"""Recorded rows as the bytes that are hashed, for checking millions of them.

The database runs each row's values together, the hashes are computed here: two a row, and no object a value. What does
not hold is read again by ``canonical_sql.fetch``, which can tell the values apart.
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

#: The leaf hash that a row was sealed with, and between which recorded times it must lie.
Expected = tuple[bytes, bytes, bytes]

#: Lines of a row from what the database gave, and its time of recording.
Spell = Callable[[Any], tuple[bytes, bytes]]

#: Which line of a leaf is the time of recording.
RECORDED: Final = {kind: names.index("recorded_at") for kind, names in OPEN.items()}
_BINARY: Final = {"sqlite": "BLOB", "mysql": "BINARY"}
#: Rows that are taken over at once while the server goes on.
_AHEAD: Final = 256


def compare(using: str, kind: RowKind, expected: Mapping[bytes, Expected], files: dict[bytes, str]) -> set[bytes]:
    """Ids among ``expected`` (16 bytes each) whose row is gone, or is not wholly as sealed.

    The lists of files of those that hold are put into ``files``.
    """
    connection = connections[using]
    as_id = _id_reader(connection)
    leaf = b"\x00" + HEADERS[kind]
    salt_bytes, open_items = FIELD_SALT_BYTES * len(PERSONAL[kind]), dict(expected)
    spell = _dashes(kind) if connection.vendor == "sqlite" else _as_is(kind)
    doubtful = set()
    for key, stored, digests, leaf_hash, salt, content, listed in _read(connection, kind, expected):
        row_id, (text, recorded) = as_id(key), spell(stored)
        wanted = open_items.pop(row_id, None)
        if wanted is None:
            doubtful.add(row_id)  # twice in the table: its primary key is gone, or another table inherits from it
            continue
        sealed, low, high = wanted
        if not (type(digests) is type(leaf_hash) is bytes and (salt is None or type(salt) is bytes)):
            doubtful.add(row_id)  # SQLite lets a forger put any kind of value anywhere
            continue
        if content is None:
            whole = digests[-DIGEST_BYTES:] == NO_VALUE
        else:
            whole = (
                salt is not None
                and len(salt) == salt_bytes
                and sha256(b"\x03" + salt + content).digest() == digests[-DIGEST_BYTES:]
            )
        if (
            not whole
            or leaf_hash != sealed
            or sha256(leaf + text + digests).digest() != sealed
            or not low <= recorded <= high
        ):
            doubtful.add(row_id)
        elif listed is not None:
            files[row_id] = listed
    return doubtful | open_items.keys()


def _read(connection: BaseDatabaseWrapper, kind: RowKind, ids: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    statement = _select(connection.vendor, native(connection), kind)
    if connection.vendor == "postgresql":
        statement += f" WHERE id = ANY('{{{','.join([row_id.hex() for row_id in ids])}}}'::uuid[])"
        yield from stream(connection, statement)
        return
    # Hex digits only, so they may stand in the statement: drivers limit the number of parameters.
    listed = "','".join([row_id.hex() for row_id in ids])
    statement += f" WHERE id IN ('{listed}')"
    if connection.vendor == "mysql":
        yield from _unbuffered(connection, statement)
        return
    with any_bytes(connection), connection.cursor() as cursor:
        cursor.execute(statement, [])
        # In pieces that stay in the processor's cache.
        while piece := cursor.fetchmany(_AHEAD):
            yield from piece


def stream(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query to PostgreSQL, a piece at a time: it works on while the last piece is hashed here. In binary by
    psycopg 3, and by a cursor of the server's where the host has psycopg 2."""
    connection.ensure_connection()
    if not _has_psycopg3():
        yield from _by_cursor(connection, statement)
        return
    import psycopg  # noqa: PLC0415 - only where it is the host's driver

    size = _AHEAD if psycopg.capabilities.has_stream_chunked() else 1
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield from cursor.stream(statement.encode(), binary=True, size=size)


def _has_psycopg3() -> bool:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3  # noqa: PLC0415 - needs one of the drivers

    return bool(is_psycopg3)


def _by_cursor(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    # A pooler that gives each statement another connection has no cursors of the server's.
    whole = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    with connection.cursor() if whole else connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while piece := cursor.fetchmany(_AHEAD):
            for row in piece:
                yield tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def _unbuffered(connection: BaseDatabaseWrapper, statement: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query to MariaDB as they come, a piece at a time, where its driver would gather them all first."""
    from MySQLdb.cursors import SSCursor  # noqa: PLC0415 - only where MariaDB is used

    connection.ensure_connection()
    with connection.wrap_database_errors, closing(connection.connection.cursor(SSCursor)) as cursor:
        cursor.execute(statement, ())
        while piece := cursor.fetchmany(_AHEAD):
            yield from piece


@lru_cache(maxsize=16)
def _select(vendor: str, native_uuid: bool, kind: RowKind) -> str:
    key = "uuid_send(id)" if vendor == "postgresql" else "id"
    text = lines(vendor, native_uuid, kind, dashed=vendor != "sqlite")
    as_bytes = f"convert_to({text}, 'UTF8')" if vendor == "postgresql" else f"CAST({text} AS {_BINARY[vendor]})"
    listed = "files" if "files" in PERSONAL[kind] else "NULL"
    return (
        # A row of another format has no digests here, so it is looked at again.
        f"SELECT {key}, {as_bytes}, CASE WHEN format = {FORMAT} THEN digests END, leaf_hash, salt,"
        f" {contents(vendor, kind)}, {listed}"
        f" FROM {MODELS[kind]._meta.db_table}"
    )


def _as_is(kind: RowKind) -> Spell:
    """The lines as they came, and the time of recording in them."""
    last = RECORDED[kind] + 1

    def spell(text: Any) -> tuple[bytes, bytes]:
        return bytes(text), bytes(text).split(b"\n", last)[last - 1]

    return spell


def _dashes(kind: RowKind) -> Spell:
    """What puts the dashes into the ids of a row's lines: SQLite is slow at it, and most ids come again and again."""
    recorded = RECORDED[kind]
    places = [at for at, name in enumerate(OPEN[kind]) if at and is_id(MODELS[kind]._meta.get_field(name))]
    known = {b"\t": b"\t"}

    def dash(text: bytes) -> tuple[bytes, bytes]:
        parts = text.split(b"\n")
        for at in places:
            stored = parts[at]
            dashed = known.get(stored)
            if dashed is None:
                dashed = known[stored] = _dashed(stored)
            parts[at] = dashed
        parts[0] = _dashed(parts[0])
        return b"\n".join(parts), parts[recorded]

    return dash


def _dashed(stored: bytes) -> bytes:
    # The last part reads to the end, so that nothing can be appended unseen.
    return b"-".join((stored[:8], stored[8:12], stored[12:16], stored[16:20], stored[20:]))


def _id_reader(connection: BaseDatabaseWrapper) -> Callable[[Any], bytes]:
    if connection.vendor == "postgresql":
        return bytes
    if native(connection):
        return lambda key: bytes.fromhex(key.replace("-", ""))
    return bytes.fromhex

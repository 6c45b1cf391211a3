"""Take pending rows from the queue, each exactly once, with the fastest statement for each database.

This runs under the sealer's lock. Rows are deleted by their own keys, never by ``id <= x``, because IDs are assigned
before commit and a lower ID may still appear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.record.models import Pending
from crm_contact_guard.sealing.tree import ENTRY, KINDS

_TABLE: Final = Pending._meta.db_table


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows in sealing order: 17 bytes each as in ``Seal.rows``, and their leaf hashes (32 bytes each), concatenated."""

    rows: bytes
    hashes: bytes

    @property
    def count(self) -> int:
        return len(self.rows) // ENTRY


def take(connection: BaseDatabaseWrapper, limit: int) -> Taken:
    """Take up to ``limit`` pending rows, the oldest first, ordered by row ID."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _take_returning(cursor, limit)
        return _take_by_key(connection, cursor, limit)


def _take_returning(cursor: CursorWrapper, limit: int) -> Taken:
    # The server concatenates the values, so Python gets one bytes object instead of several objects per row. Function
    # names are schema-qualified, so that no other function can take their place.
    cursor.execute(
        f"WITH gone AS (DELETE FROM {_TABLE} WHERE id IN (SELECT id FROM {_TABLE} ORDER BY id LIMIT %s)"
        " RETURNING id, row_kind, row_id, leaf_hash)"
        " SELECT pg_catalog.string_agg(pg_catalog.convert_to(pg_catalog.left(row_kind, 1), 'UTF8'::pg_catalog.name)"
        " OPERATOR(pg_catalog.||) pg_catalog.uuid_send(row_id), ''::pg_catalog.bytea ORDER BY row_id, id),"
        " pg_catalog.string_agg(leaf_hash, ''::pg_catalog.bytea ORDER BY row_id, id) FROM gone",
        [limit],
    )
    rows, hashes = cursor.fetchone()
    return Taken(bytes(rows or b""), bytes(hashes or b""))


def _take_by_key(connection: BaseDatabaseWrapper, cursor: CursorWrapper, limit: int) -> Taken:
    cursor.execute(f"SELECT row_id, id, row_kind, leaf_hash FROM {_TABLE} ORDER BY id LIMIT %s", [limit])
    rows = cursor.fetchall()
    if not rows:
        return Taken(b"", b"")
    kinds = {kind: initial.hex() for kind, initial in KINDS.items()}
    rows = sorted(
        [(str(row_id).replace("-", ""), key, kinds.get(kind, "00"), leaf) for row_id, key, kind, leaf in rows]
    )
    if connection.vendor == "sqlite":
        cursor.executemany(f"DELETE FROM {_TABLE} WHERE id = %s", [(row[1],) for row in rows])
    else:
        _delete_by_join(cursor, [row[1] for row in rows])
    return Taken(bytes.fromhex("".join([row[2] + row[0] for row in rows])), b"".join([row[3] for row in rows]))


def _delete_by_join(cursor: CursorWrapper, keys: list[int]) -> None:
    # Each key is looked up individually, so no lock is taken on rows that other transactions are inserting.
    # ``IN (list)`` would scan a range and wait for those transactions.
    cursor.execute(
        f"DELETE waiting FROM JSON_TABLE(%s, '$[*]' COLUMNS (id BIGINT PATH '$')) AS taken"
        f" STRAIGHT_JOIN {_TABLE} AS waiting ON waiting.id = taken.id",
        [f"[{','.join(map(str, keys))}]"],
    )


def is_whole(taken: Taken) -> bool:
    """Whether every pending row has a known kind and exactly one 32-byte leaf hash. False means tampering."""
    known = {initial[0] for initial in KINDS.values()}
    return set(taken.rows[::ENTRY]) <= known and len(taken.hashes) == taken.count * HASH_BYTES

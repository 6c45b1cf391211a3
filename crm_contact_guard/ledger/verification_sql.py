"""The quick routine check: PostgreSQL hashes its own rows. Who can alter rows can alter that answer as well."""

from __future__ import annotations

from typing import Final

from django.db import connections

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.ledger.canonical_sql import HEADERS, MODELS, lines
from crm_contact_guard.ledger.tree import ENTRY, KINDS
from crm_contact_guard.ledger.verification_rows import RowCheck
from crm_contact_guard.ledger.verification_tree import Leaves
from crm_contact_guard.proof.canonical import DIGEST_BYTES, PERSONAL, RowKind
from crm_contact_guard.proof.merkle import HASH_BYTES


class SqlRowCheck:
    """Lets the database compare a run of leaves; only rows that differ, or lost values, are looked at outside."""

    def __init__(self, using: str, rows: RowCheck) -> None:
        self._using = using
        self._rows = rows
        if connections[using].vendor != "postgresql":
            raise ConfigurationError("The check inside the database works on PostgreSQL only")
        self._statements: Final = {kind: _statement(kind) for kind in MODELS}

    def leaves(self, leaves: Leaves) -> None:
        """Check the rows of a run of leaves; anything unusual is checked again by the full check, in words."""
        good = 0
        for kind, statement in self._statements.items():
            good += self._good(kind, statement, leaves)
        if good != leaves.count:
            self._rows.leaves(leaves)

    def _good(self, kind: RowKind, statement: str, leaves: Leaves) -> int:
        initial = KINDS[kind][0]
        positions = [at for at in range(leaves.count) if leaves.rows[at * ENTRY] == initial]
        if not positions:
            return 0
        ids = b"".join([leaves.rows[at * ENTRY + 1 : (at + 1) * ENTRY] for at in positions])
        hashes = b"".join([leaves.hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in positions])
        with connections[self._using].cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute(statement, [ids, hashes, len(positions) - 1])
            count = int(cursor.fetchone()[0])
        self._rows.counted(kind, count)
        return count


def _statement(kind: RowKind) -> str:
    names, table = PERSONAL[kind], MODELS[kind]._meta.db_table
    header = HEADERS[kind].decode().strip()
    lengths = ", ',', ".join(f"octet_length({name})" for name in names)
    content = f"sha256('\\x03'::bytea || salt || convert_to(concat({lengths}, ':', {', '.join(names)}), 'UTF8'))"
    empty = " AND ".join(f"{name} IS NULL" for name in names)
    start = len(names) * DIGEST_BYTES + 1
    text = f"'{header}' || chr(10) || {lines('postgresql', True, kind)}"
    leaf = f"sha256('\\x00'::bytea || convert_to({text}, 'UTF8') || digests)"
    return (
        "WITH given AS MATERIALIZED (SELECT encode(substr(ids, at * 16 + 1, 16), 'hex')::uuid AS id,"
        f" substr(hashes, at * {HASH_BYTES} + 1, {HASH_BYTES}) AS sealed"
        " FROM (SELECT %s::bytea AS ids, %s::bytea AS hashes) AS run, generate_series(0, %s) AS at)"
        f" SELECT count(*) FROM given JOIN {table} AS stored USING (id)"
        f" WHERE leaf_hash = sealed AND {leaf} = sealed"
        f" AND substr(digests, {start}, {DIGEST_BYTES}) ="
        f" CASE WHEN {empty} THEN decode(repeat('00', {DIGEST_BYTES}), 'hex') ELSE {content} END"
    )

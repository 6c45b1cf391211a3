"""The quick routine check: PostgreSQL hashes its own rows. Who can alter rows can alter that answer as well.

All rows are first held against their own leaf hash, in one statement that the server may spread over its cores; then
the leaf hashes of each run of leaves against those that were sealed. Whatever is unusual goes to the full check, which
finds the words. Stored files are not looked at.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import connections

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.ledger.canonical_sql import HEADERS, MODELS, lines
from crm_contact_guard.ledger.erasures import KIND_PREFIX
from crm_contact_guard.ledger.models import Event
from crm_contact_guard.ledger.tree import ENTRY, KINDS, ROW_KINDS
from crm_contact_guard.ledger.verification_rows import SLACK, RowCheck
from crm_contact_guard.ledger.verification_tree import Leaves
from crm_contact_guard.proof.canonical import DIGEST_BYTES, PERSONAL, RowKind
from crm_contact_guard.proof.merkle import HASH_BYTES

#: More odd rows than this are looked for by the full check of everything.
_ODD: Final = 100_000


class SqlRowCheck:
    """Lets the database compare runs of leaves."""

    def __init__(self, using: str, rows: RowCheck) -> None:
        self._using = using
        self._rows = rows
        if connections[using].vendor != "postgresql":
            raise ConfigurationError("The check inside the database works on PostgreSQL only")
        self._odd = {kind: self._odd_rows(kind) for kind in MODELS}

    def leaves(self, leaves: Leaves) -> None:
        """Check the rows of a run of leaves."""
        known = set(leaves.rows[::ENTRY]) <= set(ROW_KINDS)
        if known and all(self._as_sealed(kind, leaves) for kind in MODELS):
            for kind in MODELS:
                self._rows.counted(kind, leaves.rows[::ENTRY].count(KINDS[kind]))
        else:
            self._rows.leaves(leaves)

    def _odd_rows(self, kind: RowKind) -> set[bytes] | None:
        """Ids of rows that do not agree with themselves, or lost single values; None when there are too many."""
        with connections[self._using].cursor() as cursor:
            cursor.execute(f"SELECT id FROM {MODELS[kind]._meta.db_table} WHERE NOT ({_sound(kind)}) LIMIT {_ODD}", [])
            found = {row[0].bytes for row in cursor.fetchall()}
        return found if len(found) < _ODD else None

    def _as_sealed(self, kind: RowKind, leaves: Leaves) -> bool:
        initial, odd = KINDS[kind][0], self._odd[kind]
        places = [at for at in range(leaves.count) if leaves.rows[at * ENTRY] == initial]
        ids = [leaves.rows[at * ENTRY + 1 : (at + 1) * ENTRY] for at in places]
        if odd is None or not odd.isdisjoint(ids):
            return False
        if not ids:
            return True
        with connections[self._using].cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(leaf_hash, ''::bytea ORDER BY id), min(recorded_at), max(recorded_at)"
                f" FROM {MODELS[kind]._meta.db_table} WHERE id = ANY(%s::uuid[])",
                [f"{{{','.join([row_id.hex() for row_id in ids])}}}"],
            )
            hashes, first, last = cursor.fetchone()
        # Within a seal ids ascend, and PostgreSQL orders UUIDs by their bytes.
        sealed = b"".join([leaves.hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in places])
        low = leaves.after - SLACK if leaves.after is not None else datetime.min.replace(tzinfo=UTC)
        return bytes(hashes or b"") == sealed and low <= first and last <= leaves.sealed_at + SLACK


def _sound(kind: RowKind) -> str:
    """That a row's leaf hash and content digest are those of its values; of an erased row, that an erasure names it."""
    names, table = PERSONAL[kind], MODELS[kind]._meta.db_table
    header, start = HEADERS[kind].decode().strip(), len(names) * DIGEST_BYTES + 1
    text = f"'{header}' || chr(10) || {lines('postgresql', True, kind)}"
    lengths = ", ',', ".join(f"octet_length({name})" for name in names)
    content = f"sha256('\\x03'::bytea || salt || convert_to(concat({lengths}, ':', {', '.join(names)}), 'UTF8'))"
    nothing = f"decode(repeat('00', {DIGEST_BYTES}), 'hex')"
    none = " AND ".join(f"{name} IS NULL" for name in names)
    digest = f"substr(digests, {start}, {DIGEST_BYTES})"
    erased = (
        f"EXISTS (SELECT 1 FROM {Event._meta.db_table} erasure WHERE erasure.subject_type = '{kind}'"
        f" AND erasure.subject_id = {table}.id::text AND erasure.kind LIKE '{KIND_PREFIX}%%')"
    )
    withheld = f"{digest} = {nothing} OR (salt IS NULL AND {erased})"
    return (
        f"leaf_hash = sha256('\\x00'::bytea || convert_to({text}, 'UTF8') || digests) AND coalesce("
        f"CASE WHEN {none} THEN {withheld} ELSE {digest} = {content} END, false)"
    )

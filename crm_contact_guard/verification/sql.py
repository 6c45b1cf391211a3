"""The quick check: PostgreSQL itself hashes the rows, so a superuser who can alter rows can also falsify the result.

One parallel query compares every row with its own leaf hash. The IDs and leaf hashes of the rows are then compared with
those of the leaves and pending rows, as sets in one snapshot. Anything unusual is left to the full check, which
explains it. Stored files are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

import numpy as np
from django.db import connections

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.proof.canonical import DIGEST_BYTES, FIELD_SALT_BYTES, FORMAT, PERSONAL, RowKind
from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.record import hashed_rows
from crm_contact_guard.record.canonical_sql import HEADERS, MODELS, contents, lines, utf8
from crm_contact_guard.record.models import Event, Pending
from crm_contact_guard.sealing.tree import ENTRY, KINDS, SLACK
from crm_contact_guard.verification.erasures import KIND_PREFIX
from crm_contact_guard.verification.keyed_sums import KeyedSums
from crm_contact_guard.verification.report import Report
from crm_contact_guard.verification.tree import Leaves

#: If there are more odd rows than this, the full check handles everything.
_ODD: Final = 100_000
#: A row is odd if its ``recorded_at`` differs from the time in its ID (UUIDv7) by more than this, in milliseconds.
_NEAR: Final = 60_000
#: PostgreSQL's epoch, 2000-01-01, in Unix milliseconds.
_EPOCH: Final = 946_684_800_000
_PIECE: Final = 1 << 15

#: A row as the server returns it, in a single value, since the client's time depends on the number of values.
_ROW: Final = np.dtype([("key", "V48"), ("micros", ">i8"), ("sound", "u1")])

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
Millis = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class SqlRowCheck:
    """Compares rows with leaves and pending rows in one snapshot.

    Call ``rows()``, then ``usual()`` for all leaves, then ``agrees()``.
    """

    def __init__(self, using: str) -> None:
        self._connection = connections[using]
        if self._connection.vendor != "postgresql":
            raise ConfigurationError("The check inside the database requires PostgreSQL")
        self._using = using
        self._keyed = KeyedSums(ENTRY - 1 + HASH_BYTES)
        #: Sums of rows minus leaves and pending rows, by kind.
        self._left = {kind: self._keyed.of(b"") for kind in MODELS}
        #: IDs of rows, sealed or pending, that must be checked individually.
        self.odd: set[bytes] = set()
        self._counts = dict.fromkeys(MODELS, 0)
        self._pending = 0

    def rows(self) -> bool:
        """Let the server hash every row. Return False if too many are odd and everything must be checked fully."""
        for kind in MODELS:
            for rows in self._hashed(kind):
                self._left[kind] = self._left[kind] + self._keyed.of(rows["key"].tobytes())
                keys = np.ascontiguousarray(rows["key"]).view(np.uint8).reshape(-1, ENTRY - 1 + HASH_BYTES)
                millis = rows["micros"].astype(np.int64) // 1000 + _EPOCH
                odd = (rows["sound"] == 0) | (np.abs(_millis(keys) - millis) > _NEAR)
                self.odd.update(key[: ENTRY - 1].tobytes() for key in keys[odd])
                if len(self.odd) > _ODD:
                    return False
            self.odd.update(row_id for (row_id,) in hashed_rows.stream(self._connection, _unnamed(kind)))
        return len(self.odd) <= _ODD

    def usual(self, runs: Sequence[Leaves]) -> bool:
        """Add these leaves to the sums. Return False if their rows must be checked individually."""
        entries = np.frombuffer(b"".join([run.rows for run in runs]), dtype=np.uint8).reshape(-1, ENTRY)
        hashes = np.frombuffer(b"".join([run.hashes for run in runs]), dtype=np.uint8).reshape(-1, HASH_BYTES)
        count, counts = 0, {}
        for kind in MODELS:
            own = entries[:, 0] == KINDS[kind][0]
            keys = np.concatenate([entries[own, 1:], hashes[own]], axis=1)
            self._left[kind] = self._left[kind] - self._keyed.of(keys.tobytes())
            counts[kind] = len(keys)
            count += len(keys)
        if count != len(entries) or not _in_time(entries[:, 1:], runs) or self._holds_odd(entries):
            return False
        for kind in MODELS:
            self._counts[kind] += counts[kind]
        return True

    def agrees(self, report: Report) -> bool:
        """Whether rows correspond one to one to leaves and pending rows. If so, adds the counts to the report."""
        for kind in MODELS:
            pending = Pending.objects.using(self._using).filter(row_kind=kind).values_list("row_id", "leaf_hash")
            keys = [row_id.bytes + bytes(leaf_hash) for row_id, leaf_hash in pending.iterator()]
            if any(len(key) != ENTRY - 1 + HASH_BYTES for key in keys):
                return False
            self._left[kind] = self._left[kind] - self._keyed.of(b"".join(keys))
            self._pending += len(keys)
        if any(left.any() for left in self._left.values()):
            return False
        for kind in MODELS:
            report.rows[kind] += self._counts[kind]
        if not self.odd:
            report.pending += self._pending
        return True

    def _holds_odd(self, entries: Bytes) -> bool:
        return bool(self.odd) and not self.odd.isdisjoint(entry[1:].tobytes() for entry in entries)

    def _hashed(self, kind: RowKind) -> Iterator[Any]:
        connection = self._connection
        with connection.cursor() as cursor:
            # By default the planner considers a parallel plan too expensive for a query that returns every row.
            cursor.execute(
                "SELECT pg_catalog.set_config('parallel_tuple_cost', '0', true),"
                " pg_catalog.set_config('parallel_setup_cost', '0', true), pg_catalog.set_config('jit', 'off', true)"
            )
        rows = hashed_rows.stream(connection, _statement(kind))
        while piece := b"".join([row for (row,) in islice(rows, _PIECE)]):
            yield np.frombuffer(piece, dtype=_ROW)


def _millis(ids: Bytes) -> Millis:
    """Return the Unix milliseconds of UUIDv7s, one per row of ``ids``."""
    wide = np.zeros((len(ids), 8), dtype=np.uint8)
    wide[:, 2:] = ids[:, :6]
    return wide.view(">i8")[:, 0].astype(np.int64)


def _in_time(ids: Bytes, runs: Sequence[Leaves]) -> bool:
    """Whether the times in the IDs are so far within the limits of their seals that ``recorded_at`` must be, too."""
    counts = [run.count for run in runs]
    slack = int(SLACK.total_seconds() * 1000) - _NEAR
    low = np.repeat([_since_1970(run.after) - slack if run.after is not None else 0 for run in runs], counts)
    high = np.repeat([_since_1970(run.sealed_at) + slack for run in runs], counts)
    millis = _millis(ids)
    return bool(((low <= millis) & (millis <= high)).all())


def _since_1970(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _statement(kind: RowKind) -> str:
    """Return a query for every row's ID, leaf hash, ``recorded_at`` and validity, as one value that is never null."""
    leaf_hash = f"CASE WHEN {_equal('pg_catalog.octet_length(leaf_hash)', HASH_BYTES)} THEN leaf_hash ELSE {_ZEROS} END"
    recorded = "coalesce(recorded_at, '2000-01-01 00:00:00+00'::pg_catalog.timestamptz)"
    sound = f"coalesce({_sound(kind)}, false)"
    return (
        f"SELECT {_join('pg_catalog.uuid_send(id)', leaf_hash, f'pg_catalog.timestamptz_send({recorded})')}"
        f' OPERATOR(pg_catalog.||) pg_catalog.boolsend({sound}) FROM "{MODELS[kind]._meta.db_table}"'
    )


def _sound(kind: RowKind) -> str:
    """Return an SQL condition: the leaf hash matches, and so does the content digest unless the row was emptied."""
    names = PERSONAL[kind]
    header, start = HEADERS[kind].decode().strip(), len(names) * DIGEST_BYTES + 1
    text = utf8(_join(f"E'{header}\\n'::pg_catalog.text", lines("postgresql", True, kind)))
    leaf = _sha256("'\\x00'::pg_catalog.bytea", text, "digests")
    content = _sha256("'\\x03'::pg_catalog.bytea", "salt", contents("postgresql", kind))
    digest = f"pg_catalog.substr(digests, {start}, {DIGEST_BYTES})"
    return (
        f"{_equal('format', FORMAT)} AND {_equal('leaf_hash', leaf)} AND CASE"
        # With a salt of another size, bytes could be moved between the salt and the values.
        f" WHEN coalesce({', '.join(names)}) IS NOT NULL THEN {_equal(digest, content)}"
        f" AND {_equal('pg_catalog.octet_length(salt)', FIELD_SALT_BYTES * len(names))}"
        f" ELSE {_equal(digest, _ZEROS)} OR salt IS NULL END"
    )


#: The digest of a missing value, which also replaces leaf hashes of the wrong size.
_ZEROS: Final = f"pg_catalog.decode(pg_catalog.repeat('00', {DIGEST_BYTES}), 'hex')"


def _equal(one: object, other: object) -> str:
    return f"{one} OPERATOR(pg_catalog.=) {other}"


def _join(*parts: str) -> str:
    return " OPERATOR(pg_catalog.||) ".join(parts)


def _sha256(*parts: str) -> str:
    return f"pg_catalog.sha256({_join(*parts)})"


def _unnamed(kind: RowKind) -> str:
    """Return a query for the IDs of emptied rows without a recorded erasure.

    It is separate from the main query, which would not run in parallel with this subquery.
    """
    table, events = MODELS[kind]._meta.db_table, Event._meta.db_table
    erased = " AND ".join((
        _equal("erasure.subject_type", f"'{kind}'"),
        _equal("erasure.subject_id", "pg_catalog.textin(pg_catalog.uuid_out(emptied.id))"),
        f"erasure.kind OPERATOR(pg_catalog.~~) '{KIND_PREFIX}%'",
    ))  # fmt: skip
    return (
        f'SELECT pg_catalog.uuid_send(id) FROM "{table}" emptied WHERE salt IS NULL AND NOT EXISTS'
        f' (SELECT 1 FROM "{events}" erasure WHERE {erased}) LIMIT {_ODD + 1}'
    )

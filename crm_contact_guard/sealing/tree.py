"""Read the sealed tree: its tiles, its seals, and the leaf index of a row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connections
from django.db.models import Max, Q

from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.proof.tiles import TILE_WIDTH, ReadTile, tile_path
from crm_contact_guard.sealing.models import Seal, Tile

#: Primary key of the one tree head.
HEAD: Final = 1
#: How far ``recorded_at`` may differ from the times of the seals around it (clock skew, long transactions).
SLACK: Final = timedelta(hours=1)
#: Bytes per leaf in ``Seal.rows``: kind, then ID.
ENTRY: Final = 17
KINDS: Final[dict[RowKind, bytes]] = {"message": b"m", "event": b"e"}
ROW_KINDS: Final[dict[int, RowKind]] = {ord("m"): "message", ord("e"): "event"}
_LEVEL_BITS: Final = 48
#: Number of leaves whose seals are read at a time.
_AHEAD: Final = 1 << 17
#: Number of rows whose seals one query finds.
_TOGETHER: Final = 100
#: The most seals that are read at a time for one row.
_WIDEST: Final = 16
#: The entry of a row, and the last seal that was searched for it: ``last_ms``, ``first_ms`` and ``size``.
_Sought = tuple[bytes, tuple[int, int, int]]
_POSITIONS: Final = {
    "postgresql": "position(decode(%s, 'hex') IN {rows})",
    "mysql": "instr({rows}, unhex(%s))",
    # unhex() needs a newer SQLite than Django's minimum; SQLite takes a blob as a parameter instead.
    "sqlite": "instr({rows}, CAST(%s AS BLOB))",
}


def tile_id(level: int, index: int) -> int:
    """Return the primary key of a tile."""
    return (level << _LEVEL_BITS) + index


def stray_tiles(using: str) -> list[str]:
    """Return the paths of tiles beyond the size of the tree, at most 20."""
    while True:
        size, part = _sealed_size(using), Q(pk__in=[])
        for level in range(8):
            count = -(-(size >> 8 * level) // TILE_WIDTH)
            part |= Q(pk__gte=tile_id(level, 0), pk__lt=tile_id(level, count))
        stray = list(Tile.objects.using(using).exclude(part).order_by("pk").values_list("pk", flat=True)[:20])
        # Retry if the tree has grown in the meantime.
        if not stray or _sealed_size(using) == size:
            return [tile_path(*divmod(pk, 1 << _LEVEL_BITS)) if pk >= 0 else str(pk) for pk in stray]


def _sealed_size(using: str) -> int:
    return Seal.objects.using(using).aggregate(size=Max("size"))["size"] or 0


def tile_reader(using: str) -> ReadTile:
    """Return ``read_tile`` for ``proof.tiles``, which returns empty bytes for a missing tile."""
    rows = Tile.objects.using(using)

    def read_tile(level: int, index: int, width: int) -> bytes:
        hashes = rows.filter(pk=tile_id(level, index)).values_list("hashes", flat=True).first()
        return b"" if hashes is None else bytes(hashes)

    return read_tile


def cached(read_tile: ReadTile) -> ReadTile:
    """Wrap ``read_tile`` to read each tile only once. Meant for the few tiles of one proof."""
    tiles: dict[tuple[int, int], bytes] = {}

    def read_once(level: int, index: int, width: int) -> bytes:
        if (level, index) not in tiles:
            tiles[level, index] = read_tile(level, index, width)
        return tiles[level, index]

    return read_once


def gathered(using: str, indexes: Iterable[int], *, keep: int = 512) -> ReadTile:
    """Return ``read_tile`` for a walk from left to right over few leaves, which reads their tiles many per query.

    ``indexes`` contains the leaf indexes by ascending order. At most ``keep`` tiles of level 0 are in memory, and all
    tiles above that were read: one for 65,536 leaves.
    """
    wanted = sorted({index // TILE_WIDTH for index in indexes})
    single, above = tile_reader(using), dict[tuple[int, int], bytes]()
    ahead: dict[int, bytes] = {}

    def read_tile(level: int, index: int, width: int) -> bytes:
        if level:
            if (level, index) not in above:
                above[level, index] = single(level, index, width)
            return above[level, index]
        if index not in ahead:
            at = bisect_left(wanted, index)
            if at == len(wanted) or wanted[at] != index:
                return single(level, index, width)
            rows = Tile.objects.using(using).filter(pk__in=wanted[at : at + keep]).values_list("pk", "hashes")
            ahead.clear()
            ahead.update({pk: bytes(hashes) for pk, hashes in rows})
        return ahead.get(index, b"")

    return read_tile


class SequentialTiles:
    """``read_tile`` for a walk from left to right, which reads ``AHEAD`` tiles of level 0 per query."""

    AHEAD: Final = 64

    def __init__(self, using: str) -> None:
        self._using = using
        self._single = tile_reader(using)
        self._ahead: dict[int, bytes] = {}

    def __call__(self, level: int, index: int, width: int) -> bytes:
        if level:
            return self._single(level, index, width)
        if index not in self._ahead:
            rows = Tile.objects.using(self._using).filter(pk__gte=index, pk__lt=index + self.AHEAD)
            self._ahead = {pk: bytes(hashes) for pk, hashes in rows.values_list("pk", "hashes")}
        return self._ahead.get(index, b"")


def leaf_hash_at(index: int, read_tile: ReadTile) -> bytes:
    """Return the sealed hash of leaf ``index``; empty bytes if there is no such leaf."""
    tile, offset = divmod(index, TILE_WIDTH)
    hashes = read_tile(0, tile, offset + 1)
    return hashes[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]


def seals(using: str, *, start: int = 0, until: int | None = None) -> Iterator[Seal]:
    """Yield the seals with ``start < size <= until`` by ascending size, reading about 2 MB at a time."""
    rows = Seal.objects.using(using).order_by("size")
    if until is not None:
        rows = rows.filter(size__lte=until)
    while True:
        # The limit counts leaves instead of seals, since a seal may contain one row or thousands.
        batch = list(rows.filter(size__gt=start, size__lte=start + _AHEAD)[:1024])
        batch = batch or list(rows.filter(size__gt=start)[:1])
        if not batch:
            return
        yield from batch
        start = batch[-1].size


def entry(kind: RowKind, row_id: UUID) -> bytes:
    """Return the 17 bytes of this row in ``Seal.rows``."""
    return KINDS[kind] + row_id.bytes


def leaf_index(using: str, kind: RowKind, row_id: UUID) -> int | None:
    """Return the leaf index of a row; None if it is not sealed. Reads a few index entries and one seal.

    Seals are found by the time in the UUIDv7. A row that was committed late is in a later seal, whose range then starts
    earlier. Therefore all seals whose range contains the ID are searched, the earliest first.
    """
    moment, wanted, connection = row_id.int >> 80, entry(kind, row_id), connections[using]
    rows = connection.ops.quote_name("rows")
    position = _POSITIONS[connection.vendor].format(rows=rows)
    parameter: str | bytes = wanted if connection.vendor == "sqlite" else wanted.hex()
    # The server does the search, since a seal's rows may be large and only one number is needed.
    statement = (
        f"SELECT size, length({rows}), {position} FROM {Seal._meta.db_table}"
        f" WHERE last_ms >= %s AND first_ms <= %s AND {position} > 0 ORDER BY last_ms"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter, moment, moment, parameter])
        for size, length, at in cursor.fetchall():
            # A match that spans two entries doesn't count. In that case, search again in Python.
            place = (at - 1) // ENTRY if at % ENTRY == 1 else _find(_rows(using, size), wanted)
            if place is not None:
                return int(size) - int(length) // ENTRY + place
    return None


def leaf_indexes(using: str, entries: Collection[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the leaf index and the entry of each of the ``entries`` (see ``entry``) that is sealed, in no given order.

    Costs two queries for a hundred rows, however large the tree. Each row is looked for in the seals whose range of
    times contains its ID, the earliest first. Nearly all rows are in the first; rows that were committed late follow,
    and for them more seals are read at a time.
    """
    ordered = sorted(entries, key=lambda one: one[1:])
    for at in range(0, len(ordered), _TOGETHER):
        # Each row with the last seal that was searched for it, by the order of ``_next_seals``.
        open_rows: list[_Sought] = [(one, (-1, -1, -1)) for one in ordered[at : at + _TOGETHER]]
        width = 1
        while open_rows:
            candidates = _next_seals(using, open_rows, width)
            wanted = {size for found in candidates for size, _, _ in found}
            stored = {seal.size: bytes(seal.rows) for seal in Seal.objects.using(using).filter(pk__in=wanted)}
            later: list[_Sought] = []
            for (one, _), found in zip(open_rows, candidates, strict=True):
                for size, _, _ in found:
                    place = _find(stored[size], one)
                    if place is not None:
                        yield size - len(stored[size]) // ENTRY + place, one
                        break
                else:
                    if len(found) == width:
                        size, last_ms, first_ms = found[-1]
                        later.append((one, (last_ms, first_ms, size)))
            open_rows, width = later, min(width * 4, _WIDEST)


def _next_seals(using: str, rows: list[_Sought], width: int) -> list[list[tuple[int, int, int]]]:
    """Return for each row the next seals that may contain it, at most ``width``: size, ``last_ms`` and ``first_ms``.

    The order is that of the index.
    """
    part = (
        f"SELECT * FROM (SELECT %s AS number, size, last_ms, first_ms FROM {Seal._meta.db_table}"
        " WHERE last_ms >= %s AND first_ms <= %s AND (last_ms > %s OR first_ms > %s OR (first_ms = %s AND size > %s))"
        f" ORDER BY last_ms, first_ms, size LIMIT {width}) AS found"
    )
    parameters = list[int]()
    for number, (one, (last_ms, first_ms, size)) in enumerate(rows):
        moment = int.from_bytes(one[1:7], "big")
        parameters += [number, max(moment, last_ms), moment, last_ms, first_ms, first_ms, size]
    candidates: list[list[tuple[int, int, int]]] = [[] for _ in rows]
    with connections[using].cursor() as cursor:
        cursor.execute(" UNION ALL ".join([part] * len(rows)), parameters)
        for number, size, last_ms, first_ms in cursor.fetchall():
            candidates[int(number)].append((size, last_ms, first_ms))
    for found in candidates:
        found.sort(key=lambda one: (one[1], one[2], one[0]))
    return candidates


def _rows(using: str, size: int) -> bytes:
    return bytes(Seal.objects.using(using).values_list("rows", flat=True).get(pk=size))


def _find(rows: bytes, wanted: bytes) -> int | None:
    at = rows.find(wanted)
    while at >= 0:
        if at % ENTRY == 0:
            return at // ENTRY
        at = rows.find(wanted, at + 1)
    return None

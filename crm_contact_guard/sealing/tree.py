"""Reading the sealed tree: tiles, seals, and which leaf belongs to which row."""

from __future__ import annotations

from collections.abc import Iterator
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
#: How far the time in a row may lie from the seals around it: clocks of several servers, a transaction kept open.
SLACK: Final = timedelta(hours=1)
#: Bytes a leaf in ``Seal.rows``: kind, then id.
ENTRY: Final = 17
KINDS: Final[dict[RowKind, bytes]] = {"message": b"m", "event": b"e"}
ROW_KINDS: Final[dict[int, RowKind]] = {ord("m"): "message", ord("e"): "event"}
_LEVEL_BITS: Final = 48
_AHEAD: Final = 1 << 17
_PLACES: Final = {
    "postgresql": "position(decode(%s, 'hex') IN {rows})",
    "mysql": "instr({rows}, unhex(%s))",
    # unhex() is newer than the oldest SQLite that Django supports, and a blob may be a parameter there.
    "sqlite": "instr({rows}, CAST(%s AS BLOB))",
}


def tile_id(level: int, index: int) -> int:
    """Primary key of a tile."""
    return (level << _LEVEL_BITS) + index


def stray_tiles(using: str) -> list[str]:
    """Paths of the first tiles that no leaf can have led to."""
    while True:
        size, part = _sealed_size(using), Q(pk__in=[])
        for level in range(8):
            count = -(-(size >> 8 * level) // TILE_WIDTH)
            part |= Q(pk__gte=tile_id(level, 0), pk__lt=tile_id(level, count))
        stray = list(Tile.objects.using(using).exclude(part).order_by("pk").values_list("pk", flat=True)[:20])
        # Sealed meanwhile: the tree has grown under our hands.
        if not stray or _sealed_size(using) == size:
            return [tile_path(*divmod(pk, 1 << _LEVEL_BITS)) if pk >= 0 else str(pk) for pk in stray]


def _sealed_size(using: str) -> int:
    return Seal.objects.using(using).aggregate(size=Max("size"))["size"] or 0


def tile_reader(using: str) -> ReadTile:
    """``read_tile`` for ``proof.tiles``; a tile that is not there gives no bytes."""
    rows = Tile.objects.using(using)

    def read_tile(level: int, index: int, width: int) -> bytes:
        hashes = rows.filter(pk=tile_id(level, index)).values_list("hashes", flat=True).first()
        return b"" if hashes is None else bytes(hashes)

    return read_tile


def kept(read_tile: ReadTile) -> ReadTile:
    """The same, reading each tile once: for the few tiles of one proof."""
    tiles: dict[tuple[int, int], bytes] = {}

    def read_once(level: int, index: int, width: int) -> bytes:
        if (level, index) not in tiles:
            tiles[level, index] = read_tile(level, index, width)
        return tiles[level, index]

    return read_once


class SequentialTiles:
    """``read_tile`` for a walk from left to right: level 0 is read many tiles a query."""

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
    """Leaf hash ``index`` as sealed; no bytes when it is not there."""
    tile, offset = divmod(index, TILE_WIDTH)
    hashes = read_tile(0, tile, offset + 1)
    return hashes[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]


def seals(using: str, *, start: int = 0, until: int | None = None) -> Iterator[Seal]:
    """Seals by ascending size, those larger than ``start`` and at most ``until`` leaves, about 2 MB at a time."""
    rows = Seal.objects.using(using).order_by("size")
    if until is not None:
        rows = rows.filter(size__lte=until)
    while True:
        # So many leaves, not so many seals, which hold one row or thousands.
        batch = list(rows.filter(size__gt=start, size__lte=start + _AHEAD)[:1024])
        batch = batch or list(rows.filter(size__gt=start)[:1])
        if not batch:
            return
        yield from batch
        start = batch[-1].size


def entry(kind: RowKind, row_id: UUID) -> bytes:
    """What ``Seal.rows`` holds for this row."""
    return KINDS[kind] + row_id.bytes


def leaf_index(using: str, kind: RowKind, row_id: UUID) -> int | None:
    """The leaf index of a row, None when it has none. A few index entries and one seal are read.

    Seals are found by the time in the id. A row that was committed late stands in a later seal, whose range then
    reaches back; so the seals whose range holds the id are looked through, the earliest first.
    """
    moment, wanted, connection = row_id.int >> 80, entry(kind, row_id), connections[using]
    rows = connection.ops.quote_name("rows")
    place = _PLACES[connection.vendor].format(rows=rows)
    given: str | bytes = wanted if connection.vendor == "sqlite" else wanted.hex()
    # Searched by the server: a seal's rows may be large, and one number is all that is needed of them.
    statement = (
        f"SELECT size, length({rows}), {place} FROM {Seal._meta.db_table}"
        f" WHERE last_ms >= %s AND first_ms <= %s AND {place} > 0 ORDER BY last_ms"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [given, moment, moment, given])
        for size, length, at in cursor.fetchall():
            # What is found across two entries is no entry.
            found = (at - 1) // ENTRY if at % ENTRY == 1 else _find(_rows(using, size), wanted)
            if found is not None:
                return int(size) - int(length) // ENTRY + found
    return None


def _rows(using: str, size: int) -> bytes:
    return bytes(Seal.objects.using(using).values_list("rows", flat=True).get(pk=size))


def _find(held: bytes, wanted: bytes) -> int | None:
    at = held.find(wanted)
    while at >= 0:
        if at % ENTRY == 0:
            return at // ENTRY
        at = held.find(wanted, at + 1)
    return None

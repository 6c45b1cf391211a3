"""Reading the sealed tree: tiles, seals, and which leaf belongs to which row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import router

from crm_contact_guard.ledger.models import Pending
from crm_contact_guard.ledger.sealed import Seal, Tile
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.proof.tiles import TILE_WIDTH, ReadTile

#: Bytes a leaf in ``Seal.rows``: kind, then id.
ENTRY: Final = 17
KINDS: Final[dict[RowKind, bytes]] = {"message": b"m", "event": b"e"}
ROW_KINDS: Final[dict[int, RowKind]] = {ord("m"): "message", ord("e"): "event"}
_LEVEL_BITS: Final = 48


def database() -> str:
    """Alias of the database that holds the record."""
    return router.db_for_write(Pending)


def tile_id(level: int, index: int) -> int:
    """Primary key of a tile."""
    return (level << _LEVEL_BITS) + index


def tile_reader(using: str) -> ReadTile:
    """``read_tile`` for ``proof.tiles``; a tile that is not there gives no bytes."""
    rows = Tile.objects.using(using)

    def read_tile(level: int, index: int, width: int) -> bytes:
        hashes = rows.filter(pk=tile_id(level, index)).values_list("hashes", flat=True).first()
        return b"" if hashes is None else bytes(hashes)

    return read_tile


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


@dataclass(frozen=True, slots=True)
class SealedRows:
    """A run of leaves: ``rows`` as in ``Seal``, beginning at leaf ``start``."""

    start: int
    rows: bytes
    seal: Seal

    @property
    def end(self) -> int:
        return self.start + len(self.rows) // ENTRY


def seals(using: str, *, start: int = 0, until: int | None = None) -> Iterator[Seal]:
    """Seals by ascending size, those larger than ``start`` and at most ``until`` leaves, a few in memory at a time."""
    rows = Seal.objects.using(using).order_by("size")
    if until is not None:
        rows = rows.filter(size__lte=until)
    while True:
        batch = list(rows.filter(size__gt=start)[:16])
        yield from batch
        if len(batch) < 16:
            return
        start = batch[-1].size


def entry(kind: RowKind, row_id: UUID) -> bytes:
    """What ``Seal.rows`` holds for this row."""
    return KINDS[kind] + row_id.bytes


def leaf_index(using: str, kind: RowKind, row_id: UUID) -> int | None:
    """The leaf index of a row, None when it has none. A few index entries and one seal are read.

    Seals are found by the time in the id. A row that was committed late stands in a later seal, whose range then
    reaches back; so the seals whose range holds the id are looked through, the earliest first.
    """
    moment = row_id.int >> 80
    wanted = entry(kind, row_id)
    rows = Seal.objects.using(using).filter(last_ms__gte=moment, first_ms__lte=moment).order_by("last_ms")
    # The many sizes cost little; a seal's rows may be large.
    for size in rows.values_list("size", flat=True).iterator(chunk_size=100):
        held = bytes(Seal.objects.using(using).values_list("rows", flat=True).get(pk=size))
        at = _find(held, wanted)
        if at is not None:
            return int(size) - len(held) // ENTRY + at
    return None


def _find(held: bytes, wanted: bytes) -> int | None:
    at = held.find(wanted)
    while at >= 0:
        if at % ENTRY == 0:
            return at // ENTRY
        at = held.find(wanted, at + 1)
    return None

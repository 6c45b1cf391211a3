"""The tree stored as tiles of 256 hashes (C2SP ``tlog-tiles``): appending, proofs, and verification.

Tile ``(level, index)`` contains hashes of the tree's level ``8 · level``. Tiles of level 0 contain the leaf hashes from
``256 · index``, tiles of level 1 the roots of full level-0 tiles, and so on. The last tile of a level may be partial; a
full tile never changes.

Tiles are read by ``read_tile(level, index, width) -> bytes``, which returns at least ``width`` concatenated hashes of
the tile (more if the tree has grown since). Each function reads only the tiles it needs, each at most once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from .errors import TileBroken
from .merkle import HASH_BYTES, Frontier, node_hash, perfect_root, split_point

__all__ = [
    "TILE_WIDTH",
    "ReadTile",
    "Regrown",
    "Tile",
    "consistency_proof",
    "grow",
    "inclusion_proof",
    "tile_broken",
    "tile_path",
    "walk",
]

TILE_WIDTH: Final = 256
_TILE_BITS: Final = 8

ReadTile = Callable[[int, int, int], bytes]


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile to store. It replaces a partial tile of the same level and index."""

    level: int
    index: int
    hashes: bytes


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The C2SP path of a tile: ``1/x001/x234/067`` for level 1, index 1,234,067; ``….p/8`` if partial."""
    groups = []
    rest = index
    while True:
        groups.append(f"{rest % 1000:03d}")
        rest //= 1000
        if not rest:
            break
    name = "/".join([f"x{group}" for group in reversed(groups[1:])] + [groups[0]])
    return f"{level}/{name}" + ("" if width == TILE_WIDTH else f".p/{width}")


def tile_broken(level: int, index: int, why: str) -> TileBroken:
    """Return a TileBroken for this tile."""
    return TileBroken(tile_path(level, index), why, level=level, index=index)


def grow(size: int, hashes: bytes, read_tile: ReadTile) -> Iterator[Tile]:
    """Yield the tiles that change when leaf ``hashes`` are appended to a tree of ``size`` leaves, level by level.

    Reads only the partial tile at the right edge of each level that changes.
    """
    level = 0
    while hashes:
        index, filled = divmod(size, TILE_WIDTH)
        if filled:
            hashes = _read(read_tile, level, index, filled) + hashes
        roots = []
        for start in range(0, len(hashes), TILE_WIDTH * HASH_BYTES):
            tile = hashes[start : start + TILE_WIDTH * HASH_BYTES]
            yield Tile(level, index, tile)
            index += 1
            if len(tile) == TILE_WIDTH * HASH_BYTES:
                roots.append(perfect_root(tile))
        hashes = b"".join(roots)
        size >>= _TILE_BITS
        level += 1


def inclusion_proof(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the inclusion proof (RFC 6962 §2.1.1) of leaf ``index`` in a tree of ``size`` leaves, leaf to root."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is outside a tree of {size}")
    nodes = Nodes(size, read_tile)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            path.append(nodes.root(middle, end))
            end = middle
        else:
            path.append(nodes.root(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old_size: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the consistency proof (RFC 6962 §2.1.2) from the tree of ``old_size`` leaves to that of ``size``."""
    if not 0 <= old_size <= size:
        raise IndexError(f"a tree of {size} leaves does not begin with {old_size}")
    if old_size in (0, size):
        return []
    nodes = Nodes(size, read_tile)
    proof: list[bytes] = []
    start, end = 0, size
    while old_size != end:
        middle = start + split_point(end - start)
        if old_size <= middle:
            proof.append(nodes.root(middle, end))
            end = middle
        else:
            proof.append(nodes.root(start, middle))
            start = middle
    if start:
        # The verifier does not know the last subtree of the old tree.
        proof.append(nodes.root(start, end))
    return proof[::-1]


def walk(size: int, read_tile: ReadTile) -> Iterator[tuple[Tile, Frontier]]:
    """Check all tiles of a tree of ``size`` leaves against each other, from the leaves up, in constant memory.

    Yields each level-0 tile, cut to ``size``, with the frontier after it, so that callers can compare leaves and
    compute the root. Raises TileBroken for the first tile that does not match those below it.
    """
    regrown = Regrown(size, read_tile)
    for index in range(-(-size // TILE_WIDTH)):
        hashes = _read(read_tile, 0, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
        regrown.append(hashes)
        yield Tile(0, index, hashes), regrown.frontier()
    regrown.finish()


class Regrown:
    """Rebuilds a tree of ``size`` leaves from its leaf hashes and compares it with the stored tiles above level 0.

    Each node is hashed once, whatever the size of the batches. ``append`` and ``finish`` raise TileBroken for the first
    tile that differs. The leaves are appended nevertheless, but no more tiles are compared.
    """

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self._above = _Levels(size, read_tile)
        self._tiles = Frontier()
        self._tile = Frontier()
        self._broken: TileBroken | None = None

    def append(self, hashes: bytes) -> None:
        """Append the next concatenated leaf hashes."""
        intact, start = self._broken is None, 0
        while start < len(hashes):
            end = start + (TILE_WIDTH - self._tile.size) * HASH_BYTES
            part = hashes[start:end]
            if len(part) == TILE_WIDTH * HASH_BYTES:
                self._add(perfect_root(part))
            else:
                self._tile.append(part)
                if self._tile.size == TILE_WIDTH:
                    self._add(self._tile.root())
                    self._tile = Frontier()
            start = end
        if intact and self._broken is not None:
            raise self._broken

    def frontier(self) -> Frontier:
        """Return the frontier of the current tree."""
        return self._tiles.beside(self._tile)

    def finish(self) -> None:
        """Compare the partial tiles at the right edge."""
        if self._broken is None:
            self._above.finish()

    def _add(self, root: bytes) -> None:
        index = self._tiles.size // TILE_WIDTH
        self._tiles.append_subtree(TILE_WIDTH, root)
        if self._broken is None:
            try:
                self._above.add(0, index, root)
            except TileBroken as error:
                self._broken = error


class _Levels:
    """The expected tiles above level 0, each compared with the stored one as soon as it is full."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self._size = size
        self._read_tile = read_tile
        self._pending: list[bytes] = []

    def add(self, level: int, index: int, root: bytes) -> None:
        """Add the root of the full tile ``index`` of ``level``."""
        if len(self._pending) == level:
            self._pending.append(b"")
        self._pending[level] += root
        if len(self._pending[level]) == TILE_WIDTH * HASH_BYTES:
            hashes, self._pending[level] = self._pending[level], b""
            index //= TILE_WIDTH
            self._compare(level + 1, index, hashes)
            self.add(level + 1, index, perfect_root(hashes))

    def finish(self) -> None:
        """Compare the partial tiles at the right edge."""
        for level, hashes in enumerate(self._pending, 1):
            if hashes:
                self._compare(level, (self._size >> _TILE_BITS * level) // TILE_WIDTH, hashes)

    def _compare(self, level: int, index: int, hashes: bytes) -> None:
        if _read(self._read_tile, level, index, len(hashes) // HASH_BYTES) != hashes:
            raise tile_broken(level, index, "differs from the tiles below it")


def _read(read_tile: ReadTile, level: int, index: int, width: int) -> bytes:
    hashes = read_tile(level, index, width)
    if len(hashes) < width * HASH_BYTES:
        raise tile_broken(level, index, f"has {len(hashes)} bytes, {width * HASH_BYTES} are needed")
    return hashes[: width * HASH_BYTES]


class Nodes:
    """Computes roots of ranges of leaves from tiles. ``keep``: maximum number of tiles cached."""

    def __init__(self, size: int, read_tile: ReadTile, keep: int | None = None) -> None:
        self._size = size
        self._read_tile = read_tile
        self._keep = keep
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """Return the root of leaves ``start`` to ``end``, a range that occurs when RFC 6962 splits the tree."""
        width = end - start
        if width & (width - 1):
            middle = start + split_point(width)
            return node_hash(self.root(start, middle), self.root(middle, end))
        tile_level, within = divmod(width.bit_length() - 1, _TILE_BITS)
        first = start >> _TILE_BITS * tile_level
        tile = self._tile(tile_level, first // TILE_WIDTH)
        offset = first % TILE_WIDTH * HASH_BYTES
        return perfect_root(tile[offset : offset + (HASH_BYTES << within)])

    def _tile(self, level: int, index: int) -> bytes:
        tile = self._tiles.get((level, index))
        if tile is None:
            width = min(TILE_WIDTH, (self._size >> _TILE_BITS * level) - index * TILE_WIDTH)
            tile = _read(self._read_tile, level, index, width)
            if self._keep is not None and len(self._tiles) >= self._keep:
                self._tiles.clear()
            self._tiles[level, index] = tile
        return tile

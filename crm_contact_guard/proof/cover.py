"""Covers: some leaves of a tree, with only hashes for the rest, computed in one pass.

A cover of a tree is a sequence of perfect subtrees from left to right: one of width 1 for each disclosed leaf, and the
largest possible ones in between. The root of a cover is the root of the tree, so a cover with a signed root proves
every leaf in it. A cover needs one line per row instead of a path of 24 hashes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .canonical import RowKind
from .tiles import Nodes, ReadTile

__all__ = ["Part", "cover"]


@dataclass(frozen=True, slots=True)
class Part:
    """A perfect subtree: ``width`` leaves from ``start`` with root ``hash``. ``row``: the kind of a disclosed leaf."""

    start: int
    width: int
    hash: bytes
    row: RowKind | None = None


def cover(
    rows: Iterable[tuple[int, RowKind]], size: int, read_tile: ReadTile, splits: Iterable[int] = ()
) -> Iterator[Part]:
    """For a tree with ``size`` leaves, yield the cover that discloses ``rows``.

    Each row is a leaf index and a kind; rows are in ascending order of index.

    ``splits`` are sizes of older checkpoints that the reader may have: no part crosses them, so the reader can compute
    the root at that size. Memory use is constant.

    Raises ValueError if the indexes are not in ascending order or are outside the tree.
    """
    nodes = Nodes(size, read_tile, keep=64)
    bounds = sorted({split for split in splits if 0 < split < size})
    at = 0
    for index, kind in rows:
        if not at <= index < size:
            raise ValueError(f"leaf {index} after {at - 1} in a tree of {size}")
        yield from _between(at, index, nodes, bounds)
        yield Part(index, 1, nodes.root(index, index + 1), kind)
        at = index + 1
    yield from _between(at, size, nodes, bounds)


def _between(start: int, end: int, nodes: Nodes, bounds: list[int]) -> Iterator[Part]:
    while bounds and bounds[0] <= start:
        bounds.pop(0)
    while start < end:
        stop = min(end, bounds[0]) if bounds else end
        width = 1 << (stop - start).bit_length() - 1
        if start:
            width = min(width, start & -start)
        yield Part(start, width, nodes.root(start, start + width))
        start += width
        if bounds and start == bounds[0]:
            bounds.pop(0)

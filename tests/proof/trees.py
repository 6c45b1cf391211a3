"""An in-memory tile store that grows like the record's, and naive implementations of RFC 6962's definitions."""

import hashlib
from functools import cache

from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.proof.tiles import grow


def leaf(number: int) -> bytes:
    return hashlib.sha256(f"leaf {number}".encode()).digest()


class TileStore:
    def __init__(self) -> None:
        self.size = 0
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads: list[tuple[int, int, int]] = []

    def append(self, hashes: bytes) -> None:
        for tile in grow(self.size, hashes, self.read):
            self.tiles[tile.level, tile.index] = tile.hashes
        self.size += len(hashes) // HASH_BYTES

    def read(self, level: int, index: int, width: int) -> bytes:
        self.reads.append((level, index, width))
        return self.tiles.get((level, index), b"")


def store_of(count: int, step: int = 10**9) -> TileStore:
    store = TileStore()
    for start in range(0, count, step):
        store.append(b"".join(leaf(number) for number in range(start, min(start + step, count))))
    return store


def naive_root(leaves: tuple[bytes, ...]) -> bytes:
    """MTH of RFC 6962 §2.1."""
    return _naive_root(leaves)


@cache
def _naive_root(leaves: tuple[bytes, ...]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _k(len(leaves))
    return hashlib.sha256(b"\x01" + _naive_root(leaves[:k]) + _naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = _k(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    """PROOF of RFC 6962 §2.1.2."""
    return _subproof(m, leaves, True)


def _subproof(m: int, leaves: tuple[bytes, ...], known: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [naive_root(leaves)]
    k = _k(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], known), naive_root(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k

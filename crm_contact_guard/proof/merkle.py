"""Merkle tree of RFC 6962 §2.1 / RFC 9162 §2.1: hashes, the frontier, and verification of proofs.

A leaf is hashed as ``SHA-256(00 ‖ leaf)`` (:func:`crm_contact_guard.proof.canonical.leaf_hash`), a node as
``SHA-256(01 ‖ left ‖ right)``. All functions work on leaf *hashes* of 32 bytes, concatenated if there are several.
"""

import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Self

from .errors import ConsistencyBroken, InclusionBroken

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "Frontier",
    "check_consistency",
    "check_inclusion",
    "node_hash",
    "perfect_root",
    "split_point",
    "tree_root",
]

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
_CHUNK: Final = 1 << 14


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Return the root of a perfect tree over ``hashes``, 2ᵏ concatenated hashes of 32 bytes."""
    count = len(hashes) // HASH_BYTES
    if not count or count & (count - 1) or len(hashes) % HASH_BYTES:
        raise ValueError(f"{len(hashes)} bytes are not a power of two of hashes")
    new = sha256
    while len(hashes) > HASH_BYTES:
        hashes = b"".join([new(b"\x01" + pair).digest() for (pair,) in struct.iter_unpack("64s", hashes)])
    return hashes


def split_point(count: int) -> int:
    """Return the largest power of two smaller than ``count`` (≥ 2), where RFC 6962 splits a tree."""
    return 1 << (count - 1).bit_length() - 1


def tree_root(hashes: bytes) -> bytes:
    """Return the Merkle tree hash of any number of concatenated leaf hashes; :data:`EMPTY_ROOT` for none."""
    frontier = Frontier()
    frontier.append(hashes)
    return frontier.root()


class Frontier:
    """The right edge of a tree: one hash per one-bit of its size, enough to append leaves and compute the root."""

    __slots__ = ("_nodes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._nodes: list[bytes] = []

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Parse the result of :meth:`to_bytes`. Raises ValueError if the data is not a frontier."""
        frontier = cls()
        frontier.size = int.from_bytes(data[:8], "big")
        frontier._nodes = [data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES)]
        if len(data) != 8 + HASH_BYTES * frontier.size.bit_count():
            raise ValueError(f"{len(data)} bytes are not the frontier of a tree of {frontier.size} leaves")
        return frontier

    def to_bytes(self) -> bytes:
        """Return the size as 8 bytes, big-endian, then the roots of the complete subtrees from the left."""
        return self.size.to_bytes(8, "big") + b"".join(self._nodes)

    def append(self, hashes: bytes) -> None:
        """Append concatenated leaf hashes."""
        if len(hashes) % HASH_BYTES:
            raise ValueError(f"{len(hashes)} bytes are not hashes of {HASH_BYTES} bytes")
        start, count = 0, len(hashes) // HASH_BYTES
        while start < count:
            # The largest perfect subtree that fits both the current size and the remaining leaves.
            width = min(_CHUNK, 1 << (count - start).bit_length() - 1)
            if self.size:
                width = min(width, self.size & -self.size)
            self.append_subtree(width, perfect_root(hashes[start * HASH_BYTES : (start + width) * HASH_BYTES]))
            start += width

    def append_subtree(self, width: int, root: bytes) -> None:
        """Append a perfect subtree of ``width`` leaves (a power of two that divides the current size) by its root."""
        if width & (width - 1) or self.size % width:
            raise ValueError(f"a subtree of {width} leaves can't start at {self.size}")
        bit = width
        while self.size & bit:
            root = node_hash(self._nodes.pop(), root)
            bit <<= 1
        self._nodes.append(root)
        self.size += width

    def beside(self, right: "Frontier") -> "Frontier":
        """Return the frontier of this tree followed by the leaves of ``right``.

        ``right`` must have fewer leaves than this tree's smallest subtree.
        """
        if self.size and right.size >= self.size & -self.size:
            raise ValueError(f"{right.size} leaves do not fit beside a tree of {self.size}")
        both = Frontier()
        both.size = self.size + right.size
        both._nodes = self._nodes + right._nodes
        return both

    def root(self) -> bytes:
        """Return the root of the current tree."""
        if not self._nodes:
            return EMPTY_ROOT
        root = self._nodes[-1]
        for node in self._nodes[-2::-1]:
            root = node_hash(node, root)
        return root


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash ``leaf`` is at ``index`` in the tree of ``size`` leaves (RFC 9162 §2.1.3.2).

    Raises InclusionBroken otherwise.
    """
    if not 0 <= index < size:
        raise InclusionBroken(f"leaf {index} is outside a tree of {size}")
    if len(leaf) != HASH_BYTES or len(root) != HASH_BYTES:
        raise InclusionBroken("the leaf hash or the root has the wrong size")
    node, last, result = index, size - 1, leaf
    for sibling in path:
        if len(sibling) != HASH_BYTES:
            raise InclusionBroken("a hash of the path has the wrong size")
        if not last:
            raise InclusionBroken("the path is too long")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            result = node_hash(result, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise InclusionBroken("the path is too short")
    if result != root:
        raise InclusionBroken(f"leaf {index} is not in the tree of {size} leaves with this root")


def check_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree of ``old_size`` leaves is the beginning of one of ``new_size`` leaves (RFC 9162 §2.1.4.2).

    The proof must be empty if the sizes are equal. Raises ConsistencyBroken if the check fails, and for an empty old
    tree, because every tree begins with an empty one and the proof would prove nothing about ``new_root``.
    """
    if not 0 < old_size <= new_size:
        raise ConsistencyBroken(f"a tree of {old_size} leaves is not the beginning of one of {new_size}")
    if old_size == new_size:
        _check_equal(old_size, proof, old_root, new_root)
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path or any(len(node) != HASH_BYTES for node in path):
        raise ConsistencyBroken("the proof is too short or a hash has the wrong size")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if not last:
            raise ConsistencyBroken("the proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ConsistencyBroken("the proof is too short")
    if old != old_root:
        raise ConsistencyBroken(f"the proof does not lead to the root of {old_size} leaves")
    if new != new_root:
        raise ConsistencyBroken(f"the tree of {new_size} leaves does not begin with the tree of {old_size}")


def _check_equal(size: int, proof: Sequence[bytes], root: bytes, other: bytes) -> None:
    if proof:
        raise ConsistencyBroken("the proof is too long")
    if len(root) != HASH_BYTES or root != other:
        raise ConsistencyBroken(f"two trees of {size} leaves have different roots")

"""The tree against itself and against its signatures: tiles, seals, head. Leaves come out for the rows' check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Subquery

from crm_contact_guard.ledger.sealed import Seal, TreeHead
from crm_contact_guard.ledger.tree import ENTRY, SequentialTiles, seals
from crm_contact_guard.ledger.verification_report import Report
from crm_contact_guard.proof.merkle import HASH_BYTES, Frontier
from crm_contact_guard.proof.notes import Checkpoint, NoteBroken, NoteMalformed, VerifierKey, open_note
from crm_contact_guard.proof.tiles import TILE_WIDTH, TileBroken, walk

_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Leaves:
    """A run of leaves from ``start``: entries as in ``Seal.rows`` and the hashes they were sealed with."""

    start: int
    rows: bytes
    hashes: bytes
    sealed_at: datetime
    #: When the seal before this one was made; None for the first.
    after: datetime | None

    @property
    def count(self) -> int:
        return len(self.rows) // ENTRY


class TreeCheck:
    """One walk over the tree; ``leaves()`` gives the ``size`` leaves that stand in it while faults go to the report."""

    def __init__(self, using: str, keys: Sequence[VerifierKey], report: Report) -> None:
        self._using = using
        self._head, self.size = head_as_it_stands(using)
        self._keys = keys
        self._report = report
        self._tiles = _TileHashes(using, self.size, report)
        self._frontier = Frontier()
        self._unsigned: list[int] = []
        self._astray = False

    def leaves(self) -> Iterator[Leaves]:
        """All leaves in order. A fault in the structure is reported and the walk goes on as far as it can."""
        if self._head is None:
            self._check_empty()
            return
        end, previous, last = 0, None, None
        for seal in seals(self._using):
            rows = bytes(seal.rows)
            start = seal.size - len(rows) // ENTRY
            if not self._follows(seal, start, end, rows):
                continue
            hashes = self._tiles.take(start, seal.size)
            self._check_root(seal, hashes)
            for at in range(0, seal.size - start, _CHUNK):
                yield Leaves(
                    start=start + at,
                    rows=rows[at * ENTRY : (at + _CHUNK) * ENTRY],
                    hashes=hashes[at * HASH_BYTES : (at + _CHUNK) * HASH_BYTES],
                    sealed_at=seal.sealed_at,
                    after=previous,
                )
            end, previous, last = seal.size, seal.sealed_at, seal
        self._finish(end, last)

    def _check_empty(self) -> None:
        if Seal.objects.using(self._using).exists():
            self._report.add("tree head", "is gone although rows have been sealed")

    def _follows(self, seal: Seal, start: int, end: int, rows: bytes) -> bool:
        where = _range(start, seal.size)
        if seal.size > self.size:
            # Sealed while this runs.
            return False
        if not rows or len(rows) % ENTRY or start < end:
            self._report.add(f"seal of {seal.size} leaves", "its list of rows was altered, or a seal was slipped in")
            return False
        if start > end:
            self._report.add(_range(end, start), "the seal that lists their rows is gone")
            self._frontier.append(self._tiles.take(end, start))
        first, last = rows[1:7], rows[-ENTRY + 1 : -ENTRY + 7]
        if (first, last) != (seal.first_ms.to_bytes(6, "big"), seal.last_ms.to_bytes(6, "big")):
            self._report.add(where, "the seal's index of row ids was altered")
        return True

    def _check_root(self, seal: Seal, hashes: bytes) -> None:
        self._frontier.append(hashes)
        where = f"checkpoint of {seal.size} leaves"
        try:
            note = open_note(seal.checkpoint, self._keys)
            checkpoint = Checkpoint.from_text(note.text)
        except NoteMalformed as error:
            self._report.add(where, str(error))
            return
        except NoteBroken as error:
            self._unsigned.append(seal.size) if len(self._unsigned) < 2 else self._unsigned.__setitem__(1, seal.size)
            if len(self._unsigned) == 1:
                self._report.add(where, f"{error}: forged, or its key is missing among VERIFICATION_KEYS")
            return
        for signer in note.signers:
            self._report.signers[signer] = self._report.signers.get(signer, 0) + 1
        self._report.checkpoint = checkpoint
        if self._head is not None and checkpoint.origin != self._head.origin:
            self._report.add(where, f"is of {checkpoint.origin}, not of {self._head.origin}")
        if (checkpoint.size, checkpoint.root) != (seal.size, self._frontier.root()) and not self._astray:
            # Every later root differs as well: the first tells where.
            self._astray = True
            start = seal.size - len(hashes) // HASH_BYTES
            self._report.add(_range(start, seal.size), "the tree up to here does not have the root that was signed")

    def _finish(self, end: int, last: Seal | None) -> None:
        head = self._head
        if head is None:
            return
        self._tiles.finish()
        if end != head.size:
            self._report.add("tree head", f"says {head.size} leaves, seals end at {end}")
        elif bytes(head.frontier) != self._frontier.to_bytes():
            self._report.add("tree head", "its hashes are not those of the tree")
        if last is None and head.size:
            self._report.add("seals", "all are gone although rows have been sealed")
        if len(self._unsigned) > 1:
            self._report.add(f"checkpoints up to {self._unsigned[-1]} leaves", "further signatures do not hold")


class _TileHashes:
    """Leaf hashes in order, from tiles checked against those above them; unchecked after the first broken one."""

    def __init__(self, using: str, size: int, report: Report) -> None:
        self._size = size
        self._report = report
        self._read = SequentialTiles(using)
        self._walk = walk(size, self._read)
        self._sound = True
        self._next = 0
        self._buffer = b""
        self._buffer_start = 0

    def take(self, start: int, end: int) -> bytes:
        """Hashes of the leaves from ``start`` up to ``end``, zeros where there are none. Calls must ascend."""
        parts = []
        while self._next * TILE_WIDTH < end:
            keep = max(0, start - self._buffer_start) * HASH_BYTES
            parts.append(self._buffer[keep:])
            start = max(start, self._buffer_start + len(self._buffer) // HASH_BYTES)
            self._buffer_start, self._buffer = self._next * TILE_WIDTH, self._tile()
            self._next += 1
        first = (start - self._buffer_start) * HASH_BYTES
        parts.append(self._buffer[first : (end - self._buffer_start) * HASH_BYTES])
        return b"".join(parts)

    def finish(self) -> None:
        """Check what is left above the leaves."""
        while self._sound and self._next * TILE_WIDTH < self._size:
            self._tile()
            self._next += 1
        if self._sound:
            try:
                next(self._walk, None)
            except TileBroken as error:
                self._report.add("tree", str(error))

    def _tile(self) -> bytes:
        if self._sound:
            try:
                return next(self._walk)[0].hashes
            except TileBroken as error:
                self._sound = False
                self._report.add("tree", str(error))
        width = min(TILE_WIDTH, self._size - self._next * TILE_WIDTH)
        return self._read(0, self._next, width)[: width * HASH_BYTES].ljust(width * HASH_BYTES, b"\0")


def head_as_it_stands(using: str) -> tuple[TreeHead | None, int]:
    """The head row and the size of the newest seal, by one statement, since sealing goes on meanwhile."""
    newest = Subquery(Seal.objects.using(using).order_by("-size").values("size")[:1])
    head = TreeHead.objects.using(using).annotate(newest=newest).first()
    return head, 0 if head is None else head.newest or 0


def _range(start: int, end: int) -> str:
    return f"leaf {start}" if end - start == 1 else f"leaves {start} to {end - 1}"

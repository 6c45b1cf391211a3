"""Check the tree (tiles, seals, head) against its signatures, and yield the leaves to compare with the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Subquery
from django.utils import timezone

from crm_contact_guard.proof.errors import NoteBroken, NoteMalformed, TileBroken
from crm_contact_guard.proof.merkle import HASH_BYTES
from crm_contact_guard.proof.notes import Checkpoint, VerifierKey, open_note
from crm_contact_guard.proof.tiles import TILE_WIDTH, Regrown, tile_broken
from crm_contact_guard.sealing.models import Seal, TreeHead
from crm_contact_guard.sealing.tree import ENTRY, HEAD, SLACK, SequentialTiles, seals, stray_tiles
from crm_contact_guard.verification.report import Report

_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Leaves:
    """Consecutive leaves from ``start``: entries as in ``Seal.rows`` and the hashes they were sealed with."""

    start: int
    rows: bytes
    hashes: bytes
    sealed_at: datetime
    #: ``sealed_at`` of the preceding seal; None for the first.
    after: datetime | None

    @property
    def count(self) -> int:
        return len(self.rows) // ENTRY


def batches(runs: Iterable[Leaves]) -> Iterator[list[Leaves]]:
    """Group runs into batches of a few thousand leaves, since a seal may hold one row or thousands."""
    batch, count = list[Leaves](), 0
    for run in runs:
        batch.append(run)
        count += run.count
        if count >= _CHUNK:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


class TreeCheck:
    """One walk over the tree. ``leaves()`` yields its ``size`` leaves; faults are added to the report."""

    def __init__(self, using: str, keys: Sequence[VerifierKey], report: Report) -> None:
        self._using = using
        self._head, self.size = current_head(using)
        self._keys = keys
        self._report = report
        self._read = SequentialTiles(using)
        self._regrown = Regrown(self.size, self._read)
        self._sound = True
        self._missing = False
        self._unsigned: list[int] = []
        self._astray = False

    def leaves(self) -> Iterator[Leaves]:
        """Yield all leaves in order. After a fault in the structure the walk continues as far as possible."""
        if self._head is None:
            self._check_empty()
            return
        end, previous, last = 0, None, None
        for seal in seals(self._using):
            rows = bytes(seal.rows)
            start = seal.size - len(rows) // ENTRY
            if not self._follows(seal, start, end, rows):
                continue
            hashes = self._grow(start, seal.size)
            self._check_root(seal, start)
            self._check_time(seal, start, previous)
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
            self._report.add("tree head", "is missing although rows have been sealed")

    def _follows(self, seal: Seal, start: int, end: int, rows: bytes) -> bool:
        where = _range(start, seal.size)
        if seal.size > self.size:
            # Sealed since the check began.
            return False
        if not rows or len(rows) % ENTRY or start < end:
            self._report.add(f"seal of {seal.size} leaves", "its list of rows was altered, or a seal was added")
            return False
        if start > end:
            self._report.add(_range(end, start), "the seal that lists their rows is missing")
            self._skip(end, start)
        first, last = (int.from_bytes(part, "big") for part in (rows[1:7], rows[-ENTRY + 1 : -ENTRY + 7]))
        if (first, last) != (seal.first_ms, seal.last_ms):
            self._report.add(where, "the seal's index of row ids was altered")
        return True

    def _check_root(self, seal: Seal, start: int) -> None:
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
                self._report.add(where, f"{error}: it is forged, or VERIFICATION_KEYS lacks its key")
            return
        for signer in note.signers:
            self._report.signers[signer] = self._report.signers.get(signer, 0) + 1
        self._report.checkpoint = checkpoint
        if self._head is not None and checkpoint.origin != self._head.origin:
            self._report.add(where, f"belongs to {checkpoint.origin}, not to {self._head.origin}")
        if (checkpoint.size, checkpoint.root) != (seal.size, self._regrown.frontier().root()) and not self._astray:
            # All later roots differ as well; only the first one shows where.
            self._astray = True
            self._report.add(_range(start, seal.size), "the tree up to here does not have the signed root")

    def _check_time(self, seal: Seal, start: int, previous: datetime | None) -> None:
        """Check that ``sealed_at`` neither decreases from seal to seal nor is in the future."""
        if previous is not None and seal.sealed_at < previous - SLACK:
            self._report.add(
                _range(start, seal.size), f"have an earlier sealing time than the previous seal ({previous})"
            )
        elif seal.sealed_at > timezone.now() + SLACK:
            self._report.add(_range(start, seal.size), f"have a sealing time in the future ({seal.sealed_at})")

    def _finish(self, end: int, last: Seal | None) -> None:
        head = self._head
        if head is None:
            return
        self._skip(end, self.size)
        self._run(self._regrown.finish)
        if end != head.size:
            self._report.add("tree head", f"has size {head.size}, but the seals end at {end}")
        elif bytes(head.frontier) != self._regrown.frontier().to_bytes():
            self._report.add("tree head", "its hashes differ from those of the tree")
        elif last is not None and head.sealed_at != last.sealed_at:
            self._report.add("tree head", f"has the time {head.sealed_at}, the last seal {last.sealed_at}")
        if last is None and head.size:
            self._report.add("seals", "all are missing although rows have been sealed")
        for path in stray_tiles(self._using):
            self._report.add(f"tile {path}", "belongs to no leaf: it was added, and sealing would fail at it")
        if TreeHead.objects.using(self._using).exclude(pk=HEAD).exists():
            self._report.add("tree head", "is not the only one: others were added")
        if len(self._unsigned) > 1:
            self._report.add(f"checkpoints up to {self._unsigned[-1]} leaves", "further signatures are invalid")

    def _grow(self, start: int, end: int) -> bytes:
        """Return the leaf hashes from ``start`` to ``end`` (zeros where missing) and append them to the tree."""
        first, last = start // TILE_WIDTH, -(-end // TILE_WIDTH)
        hashes = b"".join([self._tile(index) for index in range(first, last)])
        offset = start % TILE_WIDTH * HASH_BYTES
        hashes = hashes[offset : offset + (end - start) * HASH_BYTES]
        self._run(lambda: self._regrown.append(hashes))
        return hashes

    def _tile(self, index: int) -> bytes:
        width = min(TILE_WIDTH, self.size - index * TILE_WIDTH)
        hashes = self._read(0, index, width)
        if len(hashes) < width * HASH_BYTES:
            self._missing = True
            self._broken(tile_broken(0, index, f"has {len(hashes)} bytes, {width * HASH_BYTES} are needed"))
        return hashes[: width * HASH_BYTES].ljust(width * HASH_BYTES, b"\0")

    def _skip(self, start: int, end: int) -> None:
        """Append leaves that no seal lists."""
        for at in range(start, end, _CHUNK):
            if self._missing:
                # Stop, since a forged seal may have a huge size.
                return
            self._grow(at, min(at + _CHUNK, end))

    def _run(self, act: Callable[[], None]) -> None:
        try:
            act()
        except TileBroken as error:
            self._broken(error)

    def _broken(self, error: TileBroken) -> None:
        # All tiles above the first broken one differ as well.
        if self._sound:
            self._sound = False
            self._report.add("tree", str(error))


def current_head(using: str) -> tuple[TreeHead | None, int]:
    """Return the head row and the newest seal's size, read in one statement since a sealer may be running."""
    newest = Subquery(Seal.objects.using(using).order_by("-size").values("size")[:1])
    head = TreeHead.objects.using(using).annotate(newest=newest).filter(pk=HEAD).first()
    return head, 0 if head is None else head.newest or 0


def _range(start: int, end: int) -> str:
    return f"leaf {start}" if end - start == 1 else f"leaves {start} to {end - 1}"

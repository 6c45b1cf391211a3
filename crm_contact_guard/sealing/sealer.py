"""Sealing: pending rows get consecutive leaf indexes under one lock, and the new tree head is signed.

Writers never wait for the sealer. Rows of a transaction that commits late are sealed in a later run, so no row is
missed. A sealer that crashes leaves nothing behind. Two sealers can safely run at once: the second waits for the lock
on the head row, and the primary key of ``Seal`` rules out a second leaf at the same index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from crm_contact_guard.exceptions import ContactGuardError
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.errors import NoteBroken, SignerUnknown
from crm_contact_guard.proof.merkle import Frontier
from crm_contact_guard.proof.notes import Checkpoint, SigningKey, open_checkpoint
from crm_contact_guard.proof.tiles import TILE_WIDTH, grow
from crm_contact_guard.sealing import pending
from crm_contact_guard.sealing.keys import signing_key_or_refuse, verification_keys
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead
from crm_contact_guard.sealing.tree import ENTRY, HEAD, tile_id, tile_reader

#: Rows per transaction: large enough for throughput, small enough that one seal is quick to read for a single proof.
BATCH: Final = 8192


class SealingRefused(ContactGuardError):
    """The tree or a pending row was tampered with; sealing would hide it. Run contact_guard_verify."""

    code = "sealing-refused"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """Result of a run: number of rows sealed, leaves in the tree, and its signed checkpoint ("" for an empty tree)."""

    rows: int
    size: int
    checkpoint: str


def seal(*, using: str | None = None, batch: int = BATCH) -> Sealed:
    """Seal all pending rows, ``batch`` per transaction. Raises ConfigurationError without a key, and SealingRefused."""
    alias = using or database.alias()
    key = signing_key_or_refuse()
    total = 0
    while True:
        done = seal_batch(key, using=alias, batch=batch)
        total += done.rows
        if done.rows < batch:
            return Sealed(rows=total, size=done.size, checkpoint=done.checkpoint)


def seal_batch(key: SigningKey, *, using: str, batch: int = BATCH) -> Sealed:
    """Seal up to ``batch`` rows in one transaction."""
    connection = connections[using]
    with transaction.atomic(using=using):
        head = _locked_head(connection, key)
        taken = pending.take(connection, batch)
        if taken.count:
            return _append(connection, head, taken, key)
        last = Seal.objects.using(using).filter(pk=head.size).values_list("checkpoint", flat=True).first()
        return Sealed(rows=0, size=head.size, checkpoint=last or "")


def _append(connection: BaseDatabaseWrapper, head: TreeHead, taken: pending.Taken, key: SigningKey) -> Sealed:
    if not pending.is_whole(taken):
        raise SealingRefused("A pending row was altered")
    try:
        frontier = Frontier.from_bytes(bytes(head.frontier))
    except ValueError as error:
        raise SealingRefused(f"The tree head was altered: {error}") from error
    using = connection.alias
    _check_signed(using, head, frontier)
    _store_tiles(using, head.size, taken.hashes)
    frontier.append(taken.hashes)
    checkpoint = Checkpoint(head.origin, frontier.size, frontier.root()).sign(key)
    now = timezone.now()
    Seal.objects.using(using).bulk_create([
        Seal(
            size=frontier.size,
            rows=taken.rows,
            first_ms=int.from_bytes(taken.rows[1:7], "big"),
            last_ms=int.from_bytes(taken.rows[-ENTRY + 1 : -ENTRY + 7], "big"),
            checkpoint=checkpoint,
            sealed_at=now,
        )
    ])  # fmt: skip
    head.size, head.frontier, head.sealed_at = frontier.size, frontier.to_bytes(), now
    head.save(using=using, force_update=True)
    return Sealed(rows=taken.count, size=frontier.size, checkpoint=checkpoint)


def _check_signed(using: str, head: TreeHead, frontier: Frontier) -> None:
    """Refuse to extend a tree other than the last signed one, since a rewritten tree must not get a valid signature."""
    if frontier.size != head.size:
        raise SealingRefused("The tree head was altered: its size and its hashes do not match")
    if not head.size:
        return
    note = Seal.objects.using(using).filter(pk=head.size).values_list("checkpoint", flat=True).first()
    try:
        last = open_checkpoint(note or "", verification_keys(), head.origin)
    except SignerUnknown as error:
        raise SealingRefused(
            "The last checkpoint was signed by an unknown key: it is forged, or VERIFICATION_KEYS lacks its key"
        ) from error
    except NoteBroken as error:
        raise SealingRefused(f"The last checkpoint is invalid: {error}") from error
    if (last.size, last.root) != (head.size, frontier.root()):
        raise SealingRefused("The tree head was altered: it differs from the last signed checkpoint")


def _store_tiles(using: str, size: int, hashes: bytes) -> None:
    new = []
    for tile in grow(size, hashes, tile_reader(using)):
        if tile.index * TILE_WIDTH < size >> 8 * tile.level:
            Tile.objects.using(using).filter(pk=tile_id(tile.level, tile.index)).update(hashes=tile.hashes)
        else:
            new.append(Tile(id=tile_id(tile.level, tile.index), hashes=tile.hashes))
    Tile.objects.using(using).bulk_create(new)


def _locked_head(connection: BaseDatabaseWrapper, key: SigningKey) -> TreeHead:
    """Return the head row, locked until the transaction ends. Create it if there is no tree yet."""
    using = connection.alias
    heads = TreeHead.objects.using(using)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A checkpoint given to a witness must survive a crash, even if the host turned synchronous_commit off.
            cursor.execute("SET LOCAL synchronous_commit TO on")
    # SQLite ignores SELECT … FOR UPDATE, and a transaction that begins with a read may fail to upgrade to a write
    # (SQLITE_BUSY). A write as the first statement takes the lock, like BEGIN IMMEDIATE.
    if connection.vendor == "sqlite":
        heads.filter(pk=HEAD).update(id=HEAD)
    head = heads.select_for_update().filter(pk=HEAD).first()
    if head is None:
        first = TreeHead(id=HEAD, origin=key.name, size=0, frontier=Frontier().to_bytes(), sealed_at=None)
        heads.bulk_create([first], ignore_conflicts=True)
        head = heads.select_for_update().get(pk=HEAD)
    # Checked under the lock, because another sealer may have created the head and sealed since our first query.
    if not head.size and Seal.objects.using(using).exists():
        raise SealingRefused("The tree head is missing although rows have been sealed")
    return head

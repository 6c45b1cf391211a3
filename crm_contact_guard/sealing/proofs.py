"""Inclusion proofs for rows and consistency proofs between tree sizes (RFC 6962 §2.1), each from a few tiles."""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.hosting import database
from crm_contact_guard.proof import canonical, tiles
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import event_open_values, message_open_values
from crm_contact_guard.sealing.models import Seal
from crm_contact_guard.sealing.tree import cached, leaf_hash_at, leaf_index, tile_reader


@dataclass(frozen=True, kw_only=True)
class Head:
    """A signed tree head as stored in the database."""

    size: int
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """Proof that ``leaf`` (canonical bytes) with ``leaf_hash`` is at ``index`` in the tree that ``head`` signs."""

    leaf: bytes
    leaf_hash: bytes
    index: int
    path: list[bytes]
    head: Head


def head(using: str | None = None) -> Head | None:
    """Return the newest tree head; None if nothing is sealed yet."""
    rows = Seal.objects.using(using or database.alias()).order_by("-size").values_list("size", "checkpoint")
    newest = rows.first()
    return None if newest is None else Head(size=newest[0], checkpoint=newest[1])


def inclusion(row: Message | Event, *, using: str | None = None) -> Inclusion | None:
    """Return the inclusion proof of a row; None if the row is not sealed yet."""
    alias = using or database.alias()
    newest = head(alias)
    kind: canonical.RowKind = "message" if isinstance(row, Message) else "event"
    index = leaf_index(alias, kind, row.pk)
    if newest is None or index is None or index >= newest.size:
        return None
    read_tile = cached(tile_reader(alias))
    return Inclusion(
        leaf=leaf(row),
        leaf_hash=leaf_hash_at(index, read_tile),
        index=index,
        path=tiles.inclusion_proof(index, newest.size, read_tile),
        head=newest,
    )


def leaf(row: Message | Event) -> bytes:
    """Return the canonical bytes of a row as stored."""
    if isinstance(row, Message):
        return canonical.leaf_bytes("message", message_open_values(row), bytes(row.digests))
    return canonical.leaf_bytes("event", event_open_values(row), bytes(row.digests))


def consistency(old_size: int, newest: Head, *, using: str | None = None) -> list[bytes]:
    """Return the consistency proof from ``old_size`` to ``newest``. Raises IndexError if ``newest`` is smaller."""
    return tiles.consistency_proof(old_size, newest.size, tile_reader(using or database.alias()))

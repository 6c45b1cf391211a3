"""Handing checkpoints to witnesses, and comparing the record with what they kept.

Only committed checkpoints are handed over, and none that contradicts what the witness has: a rolled-back or forked
record is reported instead of being witnessed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.storage import InvalidStorageError
from django.utils import timezone
from django.utils.module_loading import import_string

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError, ContactGuardError
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.proof.errors import NoteBroken, TileBroken
from crm_contact_guard.proof.merkle import Frontier
from crm_contact_guard.proof.notes import open_checkpoint
from crm_contact_guard.proof.tiles import Nodes
from crm_contact_guard.sealing import proofs
from crm_contact_guard.sealing.keys import verification_keys
from crm_contact_guard.sealing.models import TreeHead, Witnessing
from crm_contact_guard.sealing.tree import HEAD, tile_reader
from crm_contact_guard.sealing.witnesses import Witness

logger = logging.getLogger(__name__)


class RecordContradicted(ContactGuardError):
    """The record does not begin with what an older signed checkpoint says: it was rolled back, forked or rewritten."""

    code = "record-contradicted"


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A witness with its name and how often it is served."""

    alias: str
    witness: Witness
    every: timedelta


def configured() -> list[Configured]:
    """The witnesses of ``WITNESSES``. Raises ConfigurationError."""
    return [_configured(position, dict(entry)) for position, entry in enumerate(settings.WITNESSES)]


def _current(path: str) -> str:
    """Where a class of ours is today: settings written for earlier releases name the place it had then."""
    return path.replace("crm_contact_guard.ledger.witnesses.", "crm_contact_guard.sealing.witnesses.", 1)


def _configured(position: int, entry: dict[str, Any]) -> Configured:
    try:
        witness = import_string(_current(entry["BACKEND"]))(**entry.get("OPTIONS", {}))
    except (KeyError, ImportError, TypeError, InvalidStorageError) as error:
        raise ConfigurationError(f'CONTACT_GUARD["WITNESSES"][{position}]: {error!r}') from error
    if not isinstance(witness, Witness):
        raise ConfigurationError(f'CONTACT_GUARD["WITNESSES"][{position}]: {entry["BACKEND"]} is no Witness')
    alias = str(entry.get("NAME") or f"{entry['BACKEND'].rpartition('.')[2]}-{position}")
    every = timedelta(seconds=entry["EVERY"]) if "EVERY" in entry else witness.every
    return Configured(alias=alias, witness=witness, every=every)


def keep_due() -> list[str]:
    """Serve the witnesses whose time has come. Returns the names of those that took the checkpoint."""
    now = timezone.now()
    last = {row.alias: row for row in Witnessing.objects.using(database.alias()).all()}
    due = [one for one in configured() if not _served(last.get(one.alias), now - one.every)]
    return [one.alias for one in due if _keep(one)]


def keep_all() -> list[str]:
    """Serve all witnesses at once. Returns the names of those that took the checkpoint."""
    return [one.alias for one in configured() if _keep(one)]


def _served(row: Witnessing | None, since: Any) -> bool:
    # A time that lies ahead was not written by us: it would keep the witness from ever being served.
    return row is not None and row.kept_at is not None and since < row.kept_at <= timezone.now()


def _keep(one: Configured) -> bool:
    using = database.alias()
    newest = proofs.head(using)
    if newest is None:
        return False
    row = Witnessing.objects.using(using).filter(pk=one.alias).first() or Witnessing(alias=one.alias)
    if row.size == newest.size and not row.error:
        return False
    row.tried_at, row.error = timezone.now(), ""
    try:
        origin = open_checkpoint(newest.checkpoint, verification_keys()).origin
        kept = one.witness.latest(origin=origin)
        if kept is not None:
            compare(kept, using=using)
        one.witness.keep(newest.checkpoint, origin=origin, size=newest.size)
        row.size, row.kept_at = newest.size, row.tried_at
    except Exception as error:
        # A witness is foreign code and a foreign server; the others must still be served.
        logger.exception("Witness %s did not take the checkpoint of %s leaves", one.alias, newest.size)
        row.error = canonical_text(str(error))[:500] or type(error).__name__
    row.save(using=using)
    return not row.error


def latest() -> Iterator[tuple[str, str]]:
    """Name and newest checkpoint of each witness that can be read back. Raises ConfigurationError, and theirs."""
    head = TreeHead.objects.using(database.alias()).filter(pk=HEAD).first()
    if head is None:
        return
    for one in configured():
        kept = one.witness.latest(origin=head.origin)
        if kept is not None:
            yield one.alias, kept


def compare(checkpoint: str, *, using: str | None = None) -> int:
    """Check that the record begins with the tree of an older signed ``checkpoint``; returns that tree's size.

    Raises RecordContradicted, and NoteBroken when the checkpoint itself can't be believed.
    """
    alias = using or database.alias()
    old = open_checkpoint(checkpoint, verification_keys())
    newest = proofs.head(alias)
    head = TreeHead.objects.using(alias).filter(pk=HEAD).first()
    size = newest.size if newest is not None else 0
    if head is not None and old.origin != head.origin:
        raise NoteBroken(f"the checkpoint is of {old.origin}, this record is {head.origin}")
    if old.size > size:
        raise RecordContradicted(
            f"A checkpoint of {old.size} leaves was signed, the record has {size}: it was rolled back"
        )
    try:
        root = root_at(old.size, alias)
    except TileBroken as error:
        raise RecordContradicted(f"The root at {old.size} leaves can't be computed: {error}") from error
    if root != old.root:
        raise RecordContradicted(f"The first {old.size} leaves are not those that were signed: rewritten or forked")
    return old.size


def root_at(size: int, using: str) -> bytes:
    """Root of the first ``size`` leaves, from a few tiles. Raises TileBroken."""
    if not size:
        return Frontier().root()
    return Nodes(size, tile_reader(using)).root(0, size)

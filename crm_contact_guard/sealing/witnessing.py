"""Send checkpoints to witnesses, and compare the record with the checkpoints they hold.

Only committed checkpoints are sent. If the record contradicts the witness's last checkpoint (it was rolled back or
forked), this is reported and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.storage import InvalidStorageError
from django.utils import timezone
from django.utils.module_loading import import_string

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError, ContactGuardError
from crm_contact_guard.hosting import database, logs
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

logger = logs.logger(__name__)


class RecordContradicted(ContactGuardError):
    """The record contradicts an older signed checkpoint: it was rolled back, forked or rewritten."""

    code = "record-contradicted"


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A configured witness, its name, and the interval between checkpoints."""

    alias: str
    witness: Witness
    every: timedelta


def configured() -> list[Configured]:
    """Return the witnesses that ``WITNESSES`` configures. Raises ConfigurationError."""
    return [_configured(position, dict(entry)) for position, entry in enumerate(settings.WITNESSES)]


def _current(path: str) -> str:
    """Return the current path of a class that moved, since older settings still contain the former path."""
    return path.replace("crm_contact_guard.ledger.witnesses.", "crm_contact_guard.sealing.witnesses.", 1)


def _configured(position: int, entry: dict[str, Any]) -> Configured:
    try:
        witness = import_string(_current(entry["BACKEND"]))(**entry.get("OPTIONS", {}))
    except (KeyError, ImportError, TypeError, InvalidStorageError) as error:
        raise ConfigurationError(f'CONTACT_GUARD["WITNESSES"][{position}]: {error!r}') from error
    if not isinstance(witness, Witness):
        raise ConfigurationError(f'CONTACT_GUARD["WITNESSES"][{position}]: {entry["BACKEND"]} is not a Witness')
    alias = str(entry.get("NAME") or f"{entry['BACKEND'].rpartition('.')[2]}-{position}")
    every = timedelta(seconds=entry["EVERY"]) if "EVERY" in entry else witness.every
    return Configured(alias=alias, witness=witness, every=every)


def keep_due() -> list[str]:
    """Send the newest checkpoint to the witnesses that are due. Return the names of the witnesses that stored it."""
    now = timezone.now()
    last = {row.alias: row for row in Witnessing.objects.using(database.alias()).all()}
    due = [entry for entry in configured() if not _is_current(last.get(entry.alias), now - entry.every)]
    return [entry.alias for entry in due if _keep(entry)]


def keep_all() -> list[str]:
    """Send the newest checkpoint to all witnesses now. Return the names of the witnesses that stored it."""
    return [entry.alias for entry in configured() if _keep(entry)]


def _is_current(row: Witnessing | None, since: Any) -> bool:
    # A time in the future was tampered with. It would stop checkpoints from being sent to the witness.
    return row is not None and row.kept_at is not None and since < row.kept_at <= timezone.now()


def _keep(entry: Configured) -> bool:
    using = database.alias()
    newest = proofs.head(using)
    if newest is None:
        return False
    row = Witnessing.objects.using(using).filter(pk=entry.alias).first() or Witnessing(alias=entry.alias)
    if row.size == newest.size and not row.error:
        return False
    row.tried_at, row.error = timezone.now(), ""
    try:
        origin = open_checkpoint(newest.checkpoint, verification_keys()).origin
        earlier = entry.witness.latest(origin=origin)
        if earlier is not None:
            compare(earlier, using=using)
        entry.witness.keep(newest.checkpoint, origin=origin, size=newest.size)
        row.size, row.kept_at = newest.size, row.tried_at
    except Exception as error:
        # Third-party code may raise anything. The other witnesses must still get the checkpoint.
        logger.exception("Witness %s failed to store the checkpoint of %s leaves", entry.alias, newest.size)
        row.error = canonical_text(str(error))[:500] or type(error).__name__
    row.save(using=using)
    return not row.error


def latest() -> Iterator[tuple[str, str]]:
    """Yield the name and newest checkpoint of each witness that can be read back.

    Raises ConfigurationError, and whatever a witness raises.
    """
    head = TreeHead.objects.using(database.alias()).filter(pk=HEAD).first()
    if head is None:
        return
    for entry in configured():
        checkpoint = entry.witness.latest(origin=head.origin)
        if checkpoint is not None:
            yield entry.alias, checkpoint


def compare(checkpoint: str, *, using: str | None = None) -> int:
    """Check that the record extends the tree of an older signed ``checkpoint``. Return the size of that tree.

    Raises RecordContradicted, or NoteBroken if the checkpoint itself is invalid.
    """
    alias = using or database.alias()
    old = open_checkpoint(checkpoint, verification_keys())
    newest = proofs.head(alias)
    head = TreeHead.objects.using(alias).filter(pk=HEAD).first()
    size = newest.size if newest is not None else 0
    if head is not None and old.origin != head.origin:
        raise NoteBroken(f"the checkpoint belongs to {old.origin}, this record is {head.origin}")
    if old.size > size:
        raise RecordContradicted(
            f"A signed checkpoint has {old.size} leaves, the record only {size}: it was rolled back"
        )
    try:
        root = root_at(old.size, alias)
    except TileBroken as error:
        raise RecordContradicted(f"The root at {old.size} leaves can't be computed: {error}") from error
    if root != old.root:
        raise RecordContradicted(
            f"The first {old.size} leaves differ from the signed ones: the record was rewritten or forked"
        )
    return old.size


def root_at(size: int, using: str) -> bytes:
    """Compute the root of the first ``size`` leaves from a few tiles. Raises TileBroken."""
    if not size:
        return Frontier().root()
    return Nodes(size, tile_reader(using)).root(0, size)

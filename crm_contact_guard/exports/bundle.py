"""Bundles: an extract of the record that an auditor verifies independently (``python -m crm_contact_guard.proof``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

from django.core.files.storage import Storage
from django.utils import timezone

from crm_contact_guard.exports.bundle_rows import Filters, Selection, by_digest
from crm_contact_guard.files.storage import backend
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.bundle_writer import BundleWriter
from crm_contact_guard.proof.canonical import canonical_time
from crm_contact_guard.proof.cover import cover
from crm_contact_guard.proof.manifest import ATTACHMENTS, Manifest
from crm_contact_guard.proof.notes import open_checkpoint
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.sealing import proofs, sealer
from crm_contact_guard.sealing.keys import signing_key_or_refuse, verification_keys
from crm_contact_guard.sealing.models import Witnessing
from crm_contact_guard.sealing.tree import tile_reader

__all__ = ["Filters", "Written", "bundle_write"]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A finished bundle: its manifest, the numbers of rows, and what could not be included."""

    manifest: Manifest
    messages: int
    events: int
    #: Number of sealed rows that are missing from the database.
    missing: int
    #: Stored files that can't be read or don't match their sealed digest, each with its name and message.
    unreadable: list[str]


def bundle_write(
    file: IO[bytes],
    *,
    filters: Filters,
    redacted: Collection[str] = (),
    attachments: bool = True,
    since: Sequence[str] = (),
    actor_type: str = Event.ActorType.SYSTEM,
    actor: str = "",
    tenant: str = "",
) -> Written:
    """Record the export, seal the record, and write the bundle to ``file`` sequentially.

    ``redacted`` names personal fields whose values are left out; their digests stay. ``since`` contains earlier signed
    checkpoints that the auditor has and will compare. Call this function outside a transaction, because the export
    must be recorded before the first byte is written, even if writing fails. Raises ConfigurationError if there is no
    key, NoteBroken for an invalid checkpoint in ``since``, and SealingRefused if sealing fails or rows are erased while
    the bundle is being written.
    """
    using, key, keys = database.alias(), signing_key_or_refuse(), verification_keys()
    # If the lists of files are redacted, the bundle would contain files that no message names.
    attachments = attachments and "files" not in redacted
    splits = [open_checkpoint(note, keys).size for note in since]
    splits += Witnessing.objects.using(using).values_list("size", flat=True)
    texts = {name: text for name, text in filters.texts().items() if text is not None}
    erased = _erasures(using)
    export = record_event(
        kind="export.bundle",
        subject_type="export",
        subject_id="bundle",
        actor_type=actor_type,
        actor=actor,
        tenant=tenant,
        data={"redacted": sorted(redacted), "attachments": attachments},
        details={"filters": texts} if texts else None,
    )
    sealer.seal(using=using)
    head = proofs.head(using)
    if head is None:
        raise sealer.SealingRefused("The event of the export could not be sealed")
    selection = Selection(using=using, size=head.size, filters=filters, export=export.pk)
    writer, unreadable = BundleWriter(file), list[str]()
    messages = writer.add_rows("message", selection.lines("message", redacted))
    events = writer.add_rows("event", selection.lines("event", redacted))
    if attachments:
        _add_attachments(writer, selection, unreadable)
    if _erasures(using) != erased:
        # The bundle shows these rows as erased, but the event that explains their erasure may lie beyond the tree head.
        raise sealer.SealingRefused("Rows were erased while the bundle was written; please export again")
    writer.add_proofs(cover(selection.leaves(), head.size, tile_reader(using), splits))
    manifest = writer.finish(
        checkpoint=head.checkpoint,
        key=key,
        keys=keys,
        created_at=canonical_time(timezone.now()),
        what={
            "messages": messages,
            "events": events,
            "redacted": sorted(redacted),
            "attachments": attachments,
            "whole": not texts,
            "export": str(export.pk),
        },
        filters=texts,
    )
    return Written(
        manifest=manifest, messages=messages, events=events, missing=selection.missing, unreadable=unreadable
    )


def _erasures(using: str) -> int:
    return Event.objects.using(using).filter(kind__startswith="erasure.").count()


def _add_attachments(writer: BundleWriter, selection: Selection, unreadable: list[str]) -> None:
    store = backend()
    for digest, attachment in by_digest(selection.attachments()):
        # A file must not be included under a digest that it doesn't match. Each file is read twice, so that it can be
        # checked without being held in memory.
        if _digest(store, attachment.stored_as) != digest:
            unreadable.append(f"{attachment.name} of message {attachment.message_id}")
            continue
        packed = not attachment.content_type.startswith("text/")
        writer.add(f"{ATTACHMENTS}{digest}", _chunks(store, attachment.stored_as), packed=packed)


def _digest(store: Storage, name: str) -> str:
    hashed = sha256()
    try:
        for chunk in _chunks(store, name):
            hashed.update(chunk)
    except OSError:
        return ""
    return hashed.hexdigest()


def _chunks(store: Storage, name: str) -> Iterator[bytes]:
    with store.open(name) as file:
        yield from file.chunks()

"""Bundles: an extract of the record that an auditor verifies independently (``python -m crm_contact_guard.proof``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any
from uuid import UUID

from django.core.files.storage import Storage

from crm_contact_guard.exports.bundle_rows import Filters, Selection, by_digest
from crm_contact_guard.exports.formats.base import Attached
from crm_contact_guard.exports.profiles import Redact, nothing, only
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.files.storage import backend
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.bundle_writer import BundleWriter
from crm_contact_guard.proof.canonical import RowKind, canonical_time
from crm_contact_guard.proof.cover import cover
from crm_contact_guard.proof.manifest import ATTACHMENTS, Manifest
from crm_contact_guard.proof.notes import open_checkpoint
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.sealing import proofs, sealer
from crm_contact_guard.sealing.keys import signing_key_or_refuse, verification_keys
from crm_contact_guard.sealing.models import Seal, Witnessing

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
    #: How many values a format could not hold, by its name.
    cut: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a bundle contains. ``redacted`` names the fields that ``redact`` may withhold."""

    filters: Filters
    redacted: Sequence[str] = ()
    redact: Redact = nothing
    attachments: bool = True
    #: The name of the profile, for the manifest.
    profile: str = ""

    @property
    def with_files(self) -> bool:
        """Whether files are included. If the lists of files were withheld, no message would name them."""
        return self.attachments and "files" not in self.redacted


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The part of the record that a bundle covers. The same order and extent always give the same bytes.

    ``export``: the event of the export. ``size``: leaves of the tree. ``splits``: sizes of older checkpoints that the
    reader may have. ``erasures``: the number of erasures recorded before.
    """

    export: UUID
    size: int
    splits: Sequence[int]
    erasures: int


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
    order = Order(filters=filters, redacted=sorted(redacted), redact=only(redacted), attachments=attachments)
    signing_key_or_refuse()
    splits = [open_checkpoint(note, verification_keys()).size for note in since]
    erased = erasures()
    event = export_record(order, actor_type=actor_type, actor=actor, tenant=tenant)
    extent = extent_seal(event.pk, erased, splits)
    selection = select(order, extent)
    return bundle_assemble(file, order, extent, selection, lambda kind: selection.lines(kind, order.redact))


def export_record(
    order: Order, *, actor_type: str, actor: str, tenant: str, reason: str | None = None, subject: str = "bundle"
) -> Event:
    """Record the export of a bundle. The verifier compares the manifest with this event."""
    texts = order.filters.texts()
    return record_event(
        kind="export.bundle",
        subject_type="export",
        subject_id=subject,
        actor_type=actor_type,
        actor=actor,
        tenant=tenant,
        data={"redacted": list(order.redacted), "attachments": order.with_files},
        reason=reason,
        details={"filters": texts} if texts else None,
    )


def extent_seal(export: UUID, erased: int, splits: Sequence[int] = ()) -> Extent:
    """Seal the record, so that the event of the export has a leaf. Raise ConfigurationError or SealingRefused."""
    using = database.alias()
    sealer.seal(using=using)
    head = proofs.head(using)
    if head is None:
        raise sealer.SealingRefused("The event of the export could not be sealed")
    kept = Witnessing.objects.using(using).filter(size__lte=head.size).values_list("size", flat=True)
    return Extent(export=export, size=head.size, splits=sorted({*splits, *kept}), erasures=erased)


def select(order: Order, extent: Extent) -> Selection:
    """Return the leaves that the bundle discloses."""
    return Selection(using=database.alias(), size=extent.size, filters=order.filters, export=extent.export)


def bundle_assemble(
    file: IO[bytes],
    order: Order,
    extent: Extent,
    selection: Selection,
    rows: Callable[[RowKind], Iterable[bytes]],
    *,
    add: Callable[[BundleWriter], Mapping[str, int]] = lambda writer: {},
) -> Written:
    """Write the bundle to ``file``. ``rows`` returns the lines of a kind. ``add`` adds further files, and returns how
    many values each could not hold.

    Raise SealingRefused if rows were erased since the extent was sealed.
    """
    with BundleWriter(file) as writer:
        unreadable = list[str]()
        counts: dict[str, int] = {kind: writer.add_rows(kind, rows(kind)) for kind in MODELS}
        if order.with_files:
            _add_attachments(writer, selection, unreadable)
        cut = add(writer)
        manifest = _finish(writer, order, extent, selection, {**counts, "cut": dict(cut)})
    return Written(
        manifest=manifest,
        messages=counts["message"],
        events=counts["event"],
        missing=selection.missing,
        unreadable=unreadable,
        cut=cut,
    )


def _finish(
    writer: BundleWriter, order: Order, extent: Extent, selection: Selection, told: Mapping[str, Any]
) -> Manifest:
    """Add the proofs, and finish the bundle. ``told``: the numbers of rows, and how many values were cut."""
    using, key, keys = database.alias(), signing_key_or_refuse(), verification_keys()
    if erasures() != extent.erasures:
        # The bundle shows these rows as erased, but the event that explains their erasure may lie beyond the tree head.
        raise sealer.SealingRefused("Rows were erased while the bundle was written; please export again")
    writer.add_proofs(cover(selection.leaves(), extent.size, selection.read_tile(), extent.splits))
    texts = order.filters.texts()
    return writer.finish(
        checkpoint=Seal.objects.using(using).values_list("checkpoint", flat=True).get(pk=extent.size),
        key=key,
        keys=keys,
        created_at=canonical_time(Event.objects.using(using).get(pk=extent.export).recorded_at),
        what={
            "messages": told["message"],
            "events": told["event"],
            "redacted": list(order.redacted),
            "attachments": order.with_files,
            "whole": not texts,
            "export": str(extent.export),
            **({"profile": order.profile} if order.profile else {}),
            **({"cut": told["cut"]} if told["cut"] else {}),
        },
        filters=texts,
    )


def erasures() -> int:
    """Return how many erasures are recorded."""
    return Event.objects.using(database.alias()).filter(kind__startswith="erasure.").count()


def attached(message: str) -> Iterator[Attached]:
    """Yield those files of a message that match their sealed digest."""
    store = backend()
    for attachment in Attachment.objects.using(database.alias()).filter(message_id=UUID(message)).exclude(stored_as=""):
        if _digest(store, attachment.stored_as) == attachment.sha256:
            yield Attached(attachment.name, b"".join(_chunks(store, attachment.stored_as)))


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

"""Erase recorded rows. Personal fields, salt and files are removed. Digests stay, so that the proof remains valid.

For each erased row, an event (``erasure.<basis>``) is recorded in the same transaction. Verification reports values
that were emptied without such an event as tampering. Files are deleted after the commit. If the process dies before
that, the next run deletes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard.delivery import outbox
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.files import media, storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.hosting import database
from crm_contact_guard.privacy.holds import not_held
from crm_contact_guard.privacy.rights import may_erase_rows
from crm_contact_guard.proof.canonical import EVENT_PERSONAL, MESSAGE_PERSONAL
from crm_contact_guard.record.models import ErasurePermit, Event, Message
from crm_contact_guard.record.recording import record_event

BATCH: Final = 200

#: Functions that are called within the transaction with the IDs of erased messages. Every component that stores message
#: content, such as the search index, registers one here.
ERASERS: Final[list[Callable[[Sequence[UUID]], None]]] = []


def erase_messages(messages: QuerySet[Message], *, basis: str, actor: Employee | None = None, reason: str = "") -> int:
    """Erase messages, their files and the personal part of their events. Return the number of messages.

    ``basis`` is a word such as "retention" or "request". ``actor`` is None if a rule or the operator erases them. Each
    batch is one transaction, so an interrupted erasure can be completed by a second run. Messages under a legal hold
    are kept. A hold placed during the run applies from the next batch on.

    Raise NotPermitted before anything is erased.
    """
    _refuse(actor, messages)
    count = 0
    remaining = messages.filter(salt__isnull=False).order_by("pk")
    while ids := list(not_held(remaining).values_list("pk", flat=True)[:BATCH]):
        with database.atomic():
            # Cancel downloads that are still pending, and erase files already downloaded (replies without text).
            media.cancel(ids)
            fetched = not_held(Message.objects.filter(reply_to__in=ids, salt__isnull=False, text=""))
            ids = list(dict.fromkeys((*ids, *fetched.values_list("pk", flat=True))))
            _erase_rows(Message, ids, MESSAGE_PERSONAL, basis=basis, actor=actor, reason=reason)
            outbox.forget_errors(ids)
            events = Event.objects.filter(message__in=ids, salt__isnull=False).exclude(kind__startswith="erasure.")
            _erase_parts(events, basis=basis, actor=actor)
            for eraser in ERASERS:
                eraser(ids)
        count += len(ids)
    delete_left_files()
    return count


def erase_events(events: QuerySet[Event], *, basis: str, actor: Employee | None = None) -> int:
    """Erase the personal part (reason and details) of those events that have one. Return the number of these events.

    Raise NotPermitted before anything is erased.
    """
    _refuse(actor, events)
    return _erase_parts(events, basis=basis, actor=actor)


def _refuse(actor: Employee | None, rows: QuerySet[Message] | QuerySet[Event]) -> None:
    if actor is not None and not may_erase_rows(actor, rows):
        raise NotPermitted(_("Compliance officers and the team's supervisor erase messages."))


def _erase_parts(events: QuerySet[Event], *, basis: str, actor: Employee | None) -> int:
    personal = events.filter(models.Q(reason__isnull=False) | models.Q(details__isnull=False))
    ids = list(personal.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        with database.atomic():
            _erase_rows(Event, ids[start : start + BATCH], EVENT_PERSONAL, basis=basis, actor=actor)
    return len(ids)


def _erase_rows(
    model: type[Message | Event],
    ids: Sequence[UUID],
    names: Sequence[str],
    *,
    basis: str,
    actor: Employee | None,
    reason: str = "",
) -> None:
    kind = model._meta.model_name or ""
    for row in model.objects.filter(pk__in=ids).only("pk", "tenant"):
        record_event(
            kind=f"erasure.{basis}",
            subject_type=kind,
            subject_id=row.pk,
            by=actor,
            tenant=row.tenant,
            reason=reason or None,
        )
    ErasurePermit.objects.bulk_create(ErasurePermit(row_id=row_id) for row_id in ids)
    # The guarded manager would refuse this UPDATE. The permit makes the trigger accept it.
    models.QuerySet(model).filter(pk__in=ids).update(**dict.fromkeys((*names, "salt")))
    ErasurePermit.objects.filter(row_id__in=ids).delete()


def delete_left_files() -> int:
    """Delete the stored files of erased messages. Return how many there were. Ignore files that are missing."""
    left = Attachment.objects.filter(message__salt__isnull=True).exclude(stored_as="")
    count = 0
    for attachment in left.iterator():
        storage.backend().delete(attachment.stored_as)
        Attachment.objects.filter(pk=attachment.pk).update(stored_as="", name="")
        count += 1
    return count

"""Files that must be downloaded from the carrier. They are queued with the message, fetched by a task, then recorded.

A recorded message never changes, so a file fetched later is recorded as another message that refers to the first one.
The first message lists the files that were still to be fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn, MediaRef
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Media
from crm_contact_guard.hosting import database, logs
from crm_contact_guard.hosting.retrying import Retry
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event, record_message

logger = logs.logger(__name__)

#: Retry schedule. Carriers store files for only a few days.
RETRY = Retry(waits=(10, 60, 600, 3600, 21600, 86400), lease=timedelta(minutes=5))
#: Key in a message's details, for the files that were still at the carrier when the message was recorded.
WAITING = "media"
#: Key in the later message's details, for the ID of the message that the file belongs to.
OF = "media_of"


def listing(media: Sequence[MediaRef]) -> list[dict[str, Any]]:
    """Return the entries in a message's details for files that are still at the carrier."""
    return [{"name": ref.name[:255], "type": ref.content_type[:127]} for ref in media]


def expect(message: Message, media: Sequence[MediaRef]) -> list[UUID]:
    """Queue files for download. Return their IDs. Call this inside the transaction that records the message."""
    rows = [
        Media(
            message=message,
            ref=ref.ref,
            name=ref.name[:255],
            content_type=ref.content_type[:127],
            due_at=timezone.now(),
        )
        for ref in media
    ]
    Media.objects.bulk_create(rows)
    for row in rows:
        _note(row, "media.expected")
    return [row.pk for row in rows]


def cancel(message_ids: Sequence[UUID]) -> None:
    """Cancel the downloads that are pending for these messages, because the messages are being erased."""
    for row in Media.objects.filter(message__in=message_ids).select_related("message__conversation"):
        if Media.objects.filter(pk=row.pk).delete()[0]:
            _note(row, "media.cancelled")


def _note(row: Media, kind: str) -> None:
    record_event(
        kind=kind,
        subject_type="media",
        subject_id=row.pk,
        actor_type=Event.ActorType.SYSTEM,
        message=row.message,
        row=row if kind == "media.expected" else None,
    )


def due(now: datetime, limit: int = 200) -> list[UUID]:
    """Return the IDs of files that are due for download."""
    return list(Media.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:limit])


def fetch(media_id: UUID) -> Message | None:
    """Fetch one file and record it. Return the message that records it.

    Return None if the file is already recorded, claimed by another worker, not available yet or lost. A lost file is
    recorded as an event. Repeated calls are safe, because the row is deleted in the transaction that records the file.
    """
    now = timezone.now()
    row = Media.objects.select_related("message__conversation").filter(pk=media_id, due_at__lte=now).first()
    if row is None or not Media.objects.filter(pk=media_id, due_at=row.due_at).update(
        due_at=RETRY.lease_until(now), attempts=row.attempts + 1
    ):
        return None
    try:
        carrier = registry.channel(row.message.channel)
        file = carrier.fetch(MediaRef(ref=row.ref, name=row.name, content_type=row.content_type))
    except ConfigurationError:
        logger.exception("Can't fetch a file of message %s: check channel %s", row.message_id, row.message.channel)
        return None
    except Exception as error:
        permanent = isinstance(error, ChannelError) and error.permanent
        if not isinstance(error, ChannelError):
            logger.exception("Channel %s could not fetch a file of message %s", carrier.alias, row.message_id)
        _later(row, f"{error}" or type(error).__name__, permanent=permanent)
        return None
    return _record(row, file)


def _later(row: Media, error: str, *, permanent: bool) -> None:
    number = row.attempts + 1
    again = None if permanent else RETRY.again_at(number, timezone.now())
    if again is not None:
        Media.objects.filter(pk=row.pk).update(due_at=again)
        return
    with database.atomic():
        if not Media.objects.filter(pk=row.pk).delete()[0]:
            return
        record_event(
            kind="media.lost",
            subject_type="message",
            subject_id=row.message_id,
            actor_type=Event.ActorType.CARRIER,
            message=row.message,
            data={"attempts": number},
            details={"error": error[:500], "ref": row.ref, "name": row.name},
        )
        _note(row, "media.ended")


def _record(row: Media, file: FileIn) -> Message | None:
    first = row.message
    with storage.storing([file]) as stored, database.atomic():
        if first.salt is None or not Media.objects.filter(pk=row.pk).delete()[0]:
            # The message was erased, or another worker recorded the file.
            storage.discard(stored)
            return None
        message = record_message(
            conversation=first.conversation,
            direction=first.direction,
            channel=first.channel,
            occurred_at=first.occurred_at,
            text="",
            employee_id=first.employee_id,
            from_name=first.from_name,
            from_address=first.from_address,
            to_name=first.to_name,
            to_address=first.to_address,
            details={OF: str(first.pk)},
            files=storage.listing(stored),
            reply_to_id=first.pk,
        )
        storage.attach(message, stored)
        _note(row, "media.ended")
    return message

"""Files that a carrier keeps until they are fetched: noted with the message, fetched by a task, recorded for good.

A recorded message never changes, so what was fetched later is a message of its own that refers to the first and says
so. Until then the first one names what is missing.
"""

from __future__ import annotations

import logging
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
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.retrying import Retry
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event, record_message

logger = logging.getLogger(__name__)

#: Carriers keep files for some days.
RETRY = Retry(waits=(10, 60, 600, 3600, 21600, 86400), lease=timedelta(minutes=5))
#: In the details of a message: files that were at the carrier when it was recorded.
WAITING = "media"
#: In the details of the later message: the one whose file it is.
OF = "media_of"


def listing(media: Sequence[MediaRef]) -> list[dict[str, Any]]:
    """What the message's own record says of files that are still at the carrier."""
    return [{"name": one.name[:255], "type": one.content_type[:127]} for one in media]


def expect(message: Message, media: Sequence[MediaRef]) -> list[UUID]:
    """Note what is to be fetched, within the message's transaction. Returns the ids to fetch."""
    rows = [
        Media(
            message=message,
            ref=one.ref,
            name=one.name[:255],
            content_type=one.content_type[:127],
            due_at=timezone.now(),
        )
        for one in media
    ]
    Media.objects.bulk_create(rows)
    return [row.pk for row in rows]


def due(now: datetime, limit: int = 200) -> list[UUID]:
    """Ids of files that wait to be fetched."""
    return list(Media.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:limit])


def fetch(media_id: UUID) -> Message | None:
    """Fetch one file now and record it. None: it is done, in other hands, not there yet, or lost (then that is said).

    Harmless to repeat: the row goes with the recording, in one transaction.
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
        logger.exception("A file of message %s waits for channel %s", row.message_id, row.message.channel)
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


def _record(row: Media, file: FileIn) -> Message | None:
    first = row.message
    with storage.storing([file]) as stored, database.atomic():
        if first.salt is None or not Media.objects.filter(pk=row.pk).delete()[0]:
            # Erased meanwhile, or another worker was quicker.
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
    return message

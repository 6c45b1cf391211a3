"""Files belonging to messages, as shown on pages: available files, files still at the carrier, and lost files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_contact_guard.files import media
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.showing import shown

#: Types of images that every browser displays, and the maximum size in bytes for displaying one in the page.
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_PICTURE_BYTES = 3 * 1024 * 1024


@dataclass(frozen=True)
class LineFile:
    """One file. ``pk`` is None if the content has been erased or was never stored."""

    pk: UUID | None
    name: str
    size: int
    picture: bool = False


@dataclass(frozen=True)
class LineFiles:
    """The files of one message, with the number of files still ``waiting`` at the carrier or ``lost``."""

    files: Sequence[LineFile] = ()
    waiting: int = 0
    lost: int = 0


NO_FILES = LineFiles()


def files_of(messages: Sequence[Message]) -> dict[UUID, LineFiles]:
    """Return the files of these messages by message ID. Uses at most three queries, and none if there are no files."""
    listed = {message.pk: json.loads(message.files) for message in messages if message.files}
    promised = [message.pk for message in messages if message.details and f'"{media.WAITING}"' in message.details]
    kept: dict[UUID, dict[int, Attachment]] = {}
    for row in Attachment.objects.filter(message__in=list(listed)) if listed else ():
        kept.setdefault(row.message_id, {})[row.position] = row
    found = {
        key: LineFiles(
            [
                _file(entry, kept.get(key, {}).get(position))
                for position, entry in enumerate(entries)
                if entry.get("kind") != Attachment.Kind.ORIGINAL
            ]
        )
        for key, entries in listed.items()
    }
    if promised:
        waiting = list(Media.objects.filter(message__in=promised).values_list("message_id", flat=True))
        lost = list(Event.objects.filter(message__in=promised, kind="media.lost").values_list("message_id", flat=True))
        for key in promised:
            held = found.get(key, NO_FILES)
            found[key] = LineFiles(held.files, waiting.count(key), lost.count(key))
    return found


def _file(entry: dict[str, object], row: Attachment | None) -> LineFile:
    here = row is not None and bool(row.stored_as)
    return LineFile(
        pk=row.pk if row is not None and here else None,
        name=shown(str(entry.get("name", ""))),
        size=int(str(entry.get("size", 0))),
        picture=row is not None and here and row.content_type in _PICTURES and row.size <= _PICTURE_BYTES,
    )

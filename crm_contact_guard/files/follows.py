"""Rules for comparing stored files, and files still at the carrier, with the record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_contact_guard.files.media import RETRY
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.record.following import (
    BySubject,
    Checked,
    Elsewhere,
    Follows,
    Life,
    Recorded,
    Row,
    Unproven,
    follows,
    not_after,
)
from crm_contact_guard.record.models import Message


def _lists(using: str, rows: Sequence[Row]) -> Mapping[Any, Any]:
    """Return, by attachment ID, the list of files in the attachment's message.

    The list is None if the message was erased, was altered or is missing, which other checks report.
    """
    keys = {row["message_id"] for row in rows}
    messages = Message.objects.using(using).filter(pk__in=keys, salt__isnull=False).values_list("pk", "files")
    told = {key: _parsed(files) for key, files in messages}
    return {row["id"]: told.get(row["message_id"]) for row in rows}


def _parsed(files: str | None) -> list[Mapping[str, Any]] | None:
    try:
        found = json.loads(files or "[]")
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(entry, dict) for entry in found) else None


def _listed(column: str, name: str) -> Checked:
    def check(row: Row, life: Life) -> object | None:
        if life.beside is None or row["position"] >= len(life.beside):
            return None
        wanted = life.beside[row["position"]].get(name)
        return None if row[column] == wanted else repr(wanted)

    return Checked("the list of files in the message's leaf; not compared after its erasure", check)


def _position(row: Row, life: Life) -> object | None:
    if life.beside is None or row["position"] < len(life.beside):
        return None
    return f"less than {len(life.beside)}, as the message lists no more files"


def _stored_as(row: Row, life: Life) -> object | None:
    return None if row["stored_as"] or life.beside is None else "the name of the stored file"


follows(
    Follows(
        model=Attachment,
        beside=_lists,
        columns={
            "id": Unproven("only links handed to a carrier name it"),
            "message_id": Elsewhere("each message has as many files as its leaf lists"),
            "position": Checked("the place in the list of files in the message's leaf", _position),
            "kind": _listed("kind", "kind"),
            "name": _listed("name", "name"),
            "content_type": _listed("content_type", "type"),
            "size": _listed("size", "size"),
            "sha256": _listed("sha256", "sha256"),
            "stored_as": Checked(
                "a name, until the message is erased; with --files, the file of that name has the SHA-256", _stored_as
            ),
        },
    )
)


def _attempts(row: Row, life: Life) -> object | None:
    return None if row["attempts"] <= RETRY.tries else f"at most {RETRY.tries}"


follows(
    Follows(
        model=Media,
        events=BySubject(
            subject="media", born=("media.expected",), gone=("media.ended", "media.cancelled"), is_new=True
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "message_id": Recorded(),
            "ref": Recorded(personal=True),
            "name": Recorded(personal=True),
            "content_type": Recorded(personal=True),
            "attempts": Checked("at most the number of attempts", _attempts),
            "due_at": not_after("due_at", timedelta(seconds=max(RETRY.waits)), "at most the longest wait from now"),
        },
    )
)

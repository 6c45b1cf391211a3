"""Store the files belonging to messages.

A file is first stored under a random name, and then listed with its SHA-256 in the message's leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, cast

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.urls import reverse

from crm_contact_guard.channels.base import FileIn, OutboundFile
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Message


@dataclass(frozen=True)
class StoredFile:
    """A stored file whose message is not recorded yet."""

    file: FileIn
    sha256: str
    stored_as: str


def backend() -> Storage:
    """Return the Django storage for recorded files (``FILE_STORAGE``)."""
    return storages[settings.FILE_STORAGE]


def store(files: Sequence[FileIn]) -> list[StoredFile]:
    """Write the files before the transaction begins, so that a crash can't leave a row without a file.

    A crash can leave a file without a row. If one of the files can't be stored, those already stored are deleted again.
    """
    kept: list[StoredFile] = []
    try:
        for file in files:
            name = backend().save(f"contact_guard/{uuid7()}", ContentFile(file.content))
            kept.append(StoredFile(file, hashlib.sha256(file.content).hexdigest(), name))
    except BaseException:
        discard(kept)
        raise
    return kept


@contextmanager
def storing(files: Sequence[FileIn]) -> Iterator[list[StoredFile]]:
    """Store the files before the block records their message. Delete them if the block raises."""
    stored = store(files)
    try:
        yield stored
    except BaseException:
        discard(stored)
        raise


def listing(files: Sequence[StoredFile]) -> list[dict[str, Any]]:
    """Return the list of files for the message's leaf."""
    return [
        {
            "name": stored.file.name[:255],
            "type": stored.file.content_type[:127],
            "size": len(stored.file.content),
            "sha256": stored.sha256,
            "kind": stored.file.kind,
        }
        for stored in files
    ]


def attach(message: Message, files: Sequence[StoredFile]) -> None:
    """Create the attachment rows. Call this inside the transaction that records the message."""
    Attachment.objects.bulk_create(
        Attachment(
            message=message,
            position=position,
            kind=stored.file.kind,
            name=stored.file.name[:255],
            content_type=stored.file.content_type[:127],
            size=len(stored.file.content),
            sha256=stored.sha256,
            stored_as=stored.stored_as,
        )
        for position, stored in enumerate(files)
    )


def discard(files: Sequence[StoredFile]) -> None:
    """Delete files whose message was a duplicate or was refused."""
    for stored in files:
        backend().delete(stored.stored_as)


# --- access by carriers

#: Lifetime of a carrier's link to a file. Carriers fetch at once, or when the recipient first opens the message.
LINK_LASTS = timedelta(days=7)
_SALT = "crm_contact_guard.files.carrier"


def outbound(attachment: Attachment) -> OutboundFile:
    """Return the file in the form passed to a channel. Its content is read only when ``open`` is called."""
    return OutboundFile(
        name=attachment.name,
        content_type=attachment.content_type,
        size=attachment.size,
        sha256=attachment.sha256,
        open=lambda: cast(BinaryIO, backend().open(attachment.stored_as)),
        url=carrier_link(attachment),
    )


def carrier_link(attachment: Attachment) -> str:
    """Return a signed URL from which a carrier can fetch the file for ``LINK_LASTS``.

    The URL is empty if ``PUBLIC_URL`` is not set.
    """
    if not settings.PUBLIC_URL:
        return ""
    token = signing.dumps(str(attachment.pk), salt=_SALT)
    return str(settings.PUBLIC_URL).rstrip("/") + reverse("crm_contact_guard:carrier_file", args=[token])


def by_carrier_token(token: str) -> Attachment | None:
    """Return the file that a carrier's link points to.

    Return None if the signature is invalid or expired, or if the message was erased.
    """
    try:
        key = signing.loads(token, salt=_SALT, max_age=LINK_LASTS)
    except signing.BadSignature:
        return None
    return Attachment.objects.filter(pk=key).exclude(stored_as="").first()

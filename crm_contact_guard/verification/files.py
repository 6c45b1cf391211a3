"""Check that files listed in messages exist and, optionally, are unaltered. ``files.follows`` compares columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from crm_contact_guard.files.models import Attachment
from crm_contact_guard.files.storage import backend
from crm_contact_guard.record.pinned import released
from crm_contact_guard.verification.report import Report

_QUERY = 500


class FileCheck:
    """Compares attachment rows with the sealed lists; with ``contents``, also hashes the stored files."""

    def __init__(self, using: str, report: Report, *, contents: bool) -> None:
        self._using = using
        self._report = report
        self._contents = contents

    def check(self, listed: Mapping[bytes, str]) -> None:
        """Check the files of these messages. ``listed`` maps IDs (16 bytes) to the rows' lists (canonical JSON)."""
        ids = [UUID(bytes=row_id) for row_id in listed]
        for start in range(0, len(ids), _QUERY):
            part = ids[start : start + _QUERY]
            stored: dict[UUID, list[Attachment]] = {message_id: [] for message_id in part}
            for attachment in Attachment.objects.using(self._using).filter(message__in=part).order_by("position"):
                stored[attachment.message_id].append(attachment)
            for message_id in part:
                self._compare(message_id, listed[message_id.bytes], stored[message_id])

    def _compare(self, message_id: UUID, files: str, stored: list[Attachment]) -> None:
        try:
            count = len(json.loads(files))
        except (ValueError, TypeError):
            # The list was altered. The check of the row reports that.
            return
        where = f"files of message {message_id}"
        if [file.position for file in stored] != list(range(count)):
            self._report.add(where, f"differ from the sealed list: it has {count}, the table {len(stored)}")
        if self._contents:
            for file in stored:
                self._read(f"attachment {file.pk}", file)

    def _read(self, where: str, attachment: Attachment) -> None:
        if not attachment.stored_as:
            return
        try:
            with released(self._using), backend().open(attachment.stored_as) as file:
                hashed = sha256()
                for chunk in file.chunks():
                    hashed.update(chunk)
        except OSError:
            self._report.add(where, f"stored_as: {attachment.name} can't be read from the storage")
            return
        if hashed.hexdigest() != attachment.sha256:
            self._report.add(where, f"stored_as: the contents of {attachment.name} differ from what was sealed")

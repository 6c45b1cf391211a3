"""Files of messages against the list that stands in the message's leaf."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from crm_contact_guard.files.models import Attachment
from crm_contact_guard.files.storage import backend
from crm_contact_guard.verification.report import Report

_QUERY = 500


class FileCheck:
    """Compares attachment rows, and with ``contents`` the stored files themselves, with what was sealed."""

    def __init__(self, using: str, report: Report, *, contents: bool) -> None:
        self._using = using
        self._report = report
        self._contents = contents

    def check(self, listed: Mapping[bytes, str]) -> None:
        """Check the files of these messages: id (16 bytes) → the list that stands in the row."""
        ids = [UUID(bytes=row_id) for row_id in listed]
        for start in range(0, len(ids), _QUERY):
            part = ids[start : start + _QUERY]
            held: dict[UUID, list[Attachment]] = {message_id: [] for message_id in part}
            for attachment in Attachment.objects.using(self._using).filter(message__in=part).order_by("position"):
                held[attachment.message_id].append(attachment)
            for message_id in part:
                self._compare(message_id, listed[message_id.bytes], held[message_id])

    def _compare(self, message_id: UUID, files: str, held: list[Attachment]) -> None:
        try:
            sealed: list[dict[str, Any]] = json.loads(files)
            entries = [tuple(entry[name] for name in ("sha256", "size", "name", "type", "kind")) for entry in sealed]
        except (ValueError, TypeError, KeyError):
            # Altered: the row's own check says so.
            return
        where = f"files of message {message_id}"
        if [(one.sha256, one.size, one.name, one.content_type, one.kind) for one in held] != entries:
            self._report.add(where, "differ from the list that was sealed")
            return
        if self._contents:
            for one in held:
                self._read(where, one)

    def _read(self, where: str, attachment: Attachment) -> None:
        if not attachment.stored_as:
            return
        try:
            with backend().open(attachment.stored_as) as file:
                hashed = sha256()
                for chunk in file.chunks():
                    hashed.update(chunk)
        except OSError:
            self._report.add(where, f"{attachment.name} can't be read from the storage")
            return
        if hashed.hexdigest() != attachment.sha256:
            self._report.add(where, f"{attachment.name} has other contents than were sealed")

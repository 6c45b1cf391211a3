"""What staff are shown of a recorded text: card numbers, My Numbers and credentials are unreadable in it.

The record itself keeps every character; whoever must check it against its digests reads the export. Two sources agree
on what is delicate: findings stored when the message was inspected, and a look at the text now, which also covers what
nobody has inspected yet and what is never inspected (quoted history, subjects, details of notes, names of files).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from crm_contact_guard import detection
from crm_contact_guard.detection.types import Finding as Seen
from crm_contact_guard.detection.types import Kind
from crm_contact_guard.supervision.models import Finding, FindingKind


def shown(text: str | None, stored: Iterable[Seen] = ()) -> str:
    """``text`` as staff see it, of the same length, so that offsets of other findings hold. None becomes empty."""
    return detection.masked(text, stored) if text else ""


def shown_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the texts of a JSON object, on whatever level they stand."""
    return {name: _shown_value(value) for name, value in values.items()}


def _shown_value(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return shown_values(value)
    if isinstance(value, list):
        return [_shown_value(one) for one in value]
    return value


def stored_findings(message_ids: Sequence[UUID]) -> dict[UUID, list[Seen]]:
    """Findings of sensitive data in these messages' texts, whoever may see the alerts they led to. One query."""
    found: dict[UUID, list[Seen]] = {}
    for row in Finding.objects.filter(message__in=message_ids, kind=FindingKind.SENSITIVE_DATA, place=""):
        seen = Seen(Kind.SENSITIVE_DATA, row.start, row.end, row.score, row.detector, row.version)
        found.setdefault(row.message_id, []).append(seen)
    return found

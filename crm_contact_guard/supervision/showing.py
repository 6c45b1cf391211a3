"""Masks card numbers, My Numbers and credentials in recorded texts for display to staff.

The record itself keeps every character, and exports contain it for verification against the digests. Masking uses the
findings stored at inspection and a new detection on display, which also covers texts that are not inspected yet or
never (quoted history, subjects, details of notes, names of files).
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
    """``text`` as shown to staff. Its length does not change, so offsets stay valid. None becomes empty."""
    return detection.masked(text, stored) if text else ""


def shown_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """``shown`` for all texts of a JSON object, at any level."""
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
    """Findings of sensitive data in the texts of these messages, independent of permissions on alerts. One query."""
    findings: dict[UUID, list[Seen]] = {}
    for row in Finding.objects.filter(message__in=message_ids, kind=FindingKind.SENSITIVE_DATA, place=""):
        seen = Seen(Kind.SENSITIVE_DATA, row.start, row.end, row.score, row.detector, row.version)
        findings.setdefault(row.message_id, []).append(seen)
    return findings

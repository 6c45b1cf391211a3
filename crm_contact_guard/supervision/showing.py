"""Masks card numbers, My Numbers and credentials when recorded text is shown to staff.

The record keeps every character, and exports contain the unmasked text, so that it can be verified against the digests.
Masking uses the findings stored at inspection, and runs detection again on display. This also covers text that hasn't
been inspected yet, or is never inspected: quoted history, subjects, details of notes, and file names.
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
    """Return ``text`` as shown to staff; empty for None. The length doesn't change, so offsets remain valid."""
    return detection.masked(text, stored) if text else ""


def shown_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Apply ``shown`` to every string in a JSON object, at any level."""
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
    """Return the findings of sensitive data in the messages' text, regardless of permissions on alerts. One query."""
    findings: dict[UUID, list[Seen]] = {}
    for row in Finding.objects.filter(message__in=message_ids, kind=FindingKind.SENSITIVE_DATA, place=""):
        seen = Seen(Kind.SENSITIVE_DATA, row.start, row.end, row.score, row.detector, row.version)
        findings.setdefault(row.message_id, []).append(seen)
    return findings

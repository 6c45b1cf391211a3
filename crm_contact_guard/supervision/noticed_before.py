"""Compares noticed findings from versions before 1.0 with their events, for ``contact_guard_verify``.

Those versions didn't record an event for each finding. Instead, one event listed all findings noticed together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from crm_contact_guard.record.models import Event
from crm_contact_guard.record.upgrade import earlier_until
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.noticing import NOTICED, recorded

_BATCH: Final = 500
#: The fields that identify a finding, as in its unique constraint.
_KEY: Final = ("message", "kind", "place", "start", "end", "detector")


def faults(using: str) -> Iterator[tuple[str, str]]:
    """Yield where and what is wrong: noticed findings that have no event, differ from their event, or are missing."""
    until = earlier_until(using)
    if until is None:
        return
    events = Event.objects.using(using).filter(kind=NOTICED, subject_type="message", recorded_at__lt=until)
    findings = Finding.objects.using(using).filter(created_at__lt=until)
    for batch in _batches(events):
        recorded_findings = {_key(one): one for event in batch for one in _findings_of(event)}
        stored = {
            _key(one): one for one in map(recorded, findings.filter(message__in={key[0] for key in recorded_findings}))
        }
        for key, one in recorded_findings.items():
            if key not in stored:
                yield f"message {key[0]}", f"{key[1]} was noticed in it and is gone"
            elif stored[key] != one:
                yield f"message {key[0]}", f"{key[1]} noticed in it does not match its event"
    for rows in _batches(findings.filter(alert__isnull=True)):
        about = events.filter(conversation__in={row.message.conversation_id for row in rows})
        recorded_keys = {_key(one) for event in about.iterator(chunk_size=_BATCH) for one in _findings_of(event)}
        for row in rows:
            if _key(recorded(row)) not in recorded_keys:
                yield f"message {row.message_id}", f"{row.kind} noticed in it has no event"


def _batches(rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    after: UUID | None = None
    while True:
        page = rows if after is None else rows.filter(pk__gt=after)
        if page.model is Finding:
            page = page.select_related("message")
        part = list(page.order_by("pk")[:_BATCH])
        if part:
            yield part
        if len(part) < _BATCH:
            return
        after = part[-1].pk


def _findings_of(event: Event) -> list[dict[str, Any]]:
    """Return the findings listed in an event. Empty if it was tampered with, which the check of its row reports."""
    try:
        findings = json.loads(event.data)["findings"]
        return [one for one in findings if UUID(one["message"]).int and all(name in one for name in _KEY)]
    except (ValueError, KeyError, TypeError):
        return []


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in _KEY)

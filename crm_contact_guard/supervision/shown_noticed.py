"""What was only noticed, against the events that say so; for ``contact_guard_verify``.

A finding without an alert warns nobody, so nobody would miss one that was dropped, or wonder at one slipped in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.noticing import NOTICED, recorded
from crm_contact_guard.verification.report import Report

_BATCH: Final = 500
#: What tells a finding from every other: as in its unique constraint.
_KEY: Final = ("message", "kind", "place", "start", "end", "detector")


def check(using: str, report: Report) -> None:
    """Report noticed findings that no event tells of, and told ones that are gone. Call it within one snapshot."""
    events = Event.objects.using(using).filter(kind=NOTICED, subject_type="message")
    findings = Finding.objects.using(using)
    for some in _batches(events):
        told = {_key(one): one for event in some for one in _told(event)}
        there = {_key(one): one for one in map(recorded, findings.filter(message__in={key[0] for key in told}))}
        for key, one in told.items():
            if key not in there:
                report.add(f"message {key[0]}", f"{key[1]} was noticed in it and is gone")
            elif there[key] != one:
                report.add(f"message {key[0]}", f"{key[1]} that was noticed in it is not as its event says")
    for rows in _batches(findings.filter(alert__isnull=True)):
        about = events.filter(conversation__in={row.message.conversation_id for row in rows})
        known = {_key(one) for event in about.iterator(chunk_size=_BATCH) for one in _told(event)}
        for row in rows:
            if _key(recorded(row)) not in known:
                report.add(f"message {row.message_id}", f"{row.kind} was never noticed in it: no event says so")


def _batches(rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    after: UUID | None = None
    while True:
        wanted = rows if after is None else rows.filter(pk__gt=after)
        if wanted.model is Finding:
            wanted = wanted.select_related("message")
        part = list(wanted.order_by("pk")[:_BATCH])
        if part:
            yield part
        if len(part) < _BATCH:
            return
        after = part[-1].pk


def _told(event: Event) -> list[dict[str, Any]]:
    """The findings an event names; an altered one names none, and its row's own check says so."""
    try:
        found = json.loads(event.data)["findings"]
        return [one for one in found if UUID(one["message"]).int and all(name in one for name in _KEY)]
    except (ValueError, KeyError, TypeError):
        return []


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in _KEY)

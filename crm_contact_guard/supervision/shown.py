"""Compares alerts with their recorded events, for ``contact_guard_verify``.

An alert is working state: a database administrator could delete it before anybody sees it, or close it in somebody's
name. Its events are leaves of the tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.verification.report import Report

_BATCH: Final = 500
#: The status of an alert after its newest event.
_STATUS: Final = {
    "alert.opened": "open",
    "alert.claimed": "claimed",
    "alert.closed": "closed",
    "alert.reopened": "open",
}
_ADDRESSED: Final = "alert.addressed"
_TOLD: Final = (*_STATUS, _ADDRESSED)
#: Fields that never change after opening, but for an alert that was addressed to nobody at first.
_FIXED: Final = ("topic", "by", "stance", "at_message", "addressee")


def check(using: str, report: Report) -> None:
    """Report alerts that do not match their events. Call it within one snapshot."""
    for events in _lives(using):
        alerts = Alert.objects.using(using).in_bulk(list(events))
        for key, life in events.items():
            if (alert := alerts.get(key)) is None:
                report.add(f"alert {key}", f"was opened {life[0].occurred_at:%Y-%m-%d %H:%M} and is gone")
            elif mismatches := list(_mismatches(alert, life)):
                report.add(f"alert {key}", f"does not match its events: {', '.join(mismatches)}")
    after: UUID | None = None
    while True:
        rows = Alert.objects.using(using).order_by("pk")
        part = list((rows if after is None else rows.filter(pk__gt=after)).values_list("pk", flat=True)[:_BATCH])
        for key in set(part) - set(_opened(using, part)):
            report.add(f"alert {key}", "has no event that opened it")
        if len(part) < _BATCH:
            return
        after = part[-1]


def _lives(using: str) -> Iterator[dict[UUID, list[Event]]]:
    """Batches of alerts with their events, oldest first."""
    opened = Event.objects.using(using).filter(kind="alert.opened", subject_type="alert").order_by("pk")
    part = list(opened[:_BATCH])
    while part:
        keys = [event.subject_id for event in part]
        lives: dict[UUID, list[Event]] = {}
        later = Event.objects.using(using).filter(subject_type="alert", subject_id__in=keys, kind__in=_TOLD)
        for event in later.order_by("recorded_at", "pk"):
            try:
                lives.setdefault(UUID(event.subject_id), []).append(event)
            except ValueError:
                continue  # tampered with: the check of the row reports it
        yield lives
        part = list(opened.filter(pk__gt=part[-1].pk)[:_BATCH])


def _opened(using: str, keys: Sequence[UUID]) -> Iterator[UUID]:
    events = Event.objects.using(using).filter(
        subject_type="alert", subject_id__in=[str(key) for key in keys], kind="alert.opened"
    )
    return (UUID(subject) for subject in events.values_list("subject_id", flat=True))


def _mismatches(alert: Alert, life: Sequence[Event]) -> Iterator[str]:
    first = life[0]
    last = [event for event in life if event.kind != _ADDRESSED][-1]
    opening = _members(first)
    for event in life:
        if event.kind == _ADDRESSED:
            opening["addressee"] = _members(event).get("addressee")
    actual = {name: getattr(alert, name) for name in ("topic", "by", "stance")}
    actual |= {
        "at_message": str(alert.at_message_id),
        "addressee": str(alert.addressee_id) if alert.addressee_id else None,
    }
    yield from (name for name in _FIXED if name in opening and opening[name] != actual[name])
    if first.conversation_id != alert.conversation_id:
        yield "conversation"
    if alert.severity < opening.get("severity", 0):
        yield "severity"
    if alert.status != _STATUS[last.kind]:
        yield "status"
    elif last.kind == "alert.closed":
        if (alert.resolution, str(alert.closed_by_id or "")) != (_members(last).get("resolution"), last.actor):
            yield "how it was closed"
        # An erasure empties both, but not always together.
        if alert.comment and last.reason is not None and alert.comment != last.reason:
            yield "comment"
    elif last.kind == "alert.claimed" and str(alert.claimed_by_id) != last.actor:
        yield "who claimed it"


def _members(event: Event) -> dict[str, Any]:
    try:
        data = json.loads(event.data)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}

"""What supervisors are shown of alerts, against the events by which they came about; for ``contact_guard_verify``.

An alert is working state: the database's master could drop it before anybody saw it, or close it in somebody's name.
The events of its life are leaves of the tree.
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
#: Status of an alert by the newest of these events.
_STATUS: Final = {
    "alert.opened": "open",
    "alert.claimed": "claimed",
    "alert.closed": "closed",
    "alert.reopened": "open",
}
#: What never changes from opening on.
_FIXED: Final = ("topic", "by", "stance", "at_message", "addressee")


def check(using: str, report: Report) -> None:
    """Report alerts that are not as their events say. Call it within one snapshot."""
    for events in _lives(using):
        alerts = Alert.objects.using(using).in_bulk(list(events))
        for key, life in events.items():
            if (alert := alerts.get(key)) is None:
                report.add(f"alert {key}", f"was opened {life[0].occurred_at:%Y-%m-%d %H:%M} and is gone")
            elif wrong := list(_wrong(alert, life)):
                report.add(f"alert {key}", f"{' and '.join(wrong)} not as its events say")
    after: UUID | None = None
    while True:
        rows = Alert.objects.using(using).order_by("pk")
        part = list((rows if after is None else rows.filter(pk__gt=after)).values_list("pk", flat=True)[:_BATCH])
        for key in set(part) - set(_opened(using, part)):
            report.add(f"alert {key}", "was never opened: no event says so")
        if len(part) < _BATCH:
            return
        after = part[-1]


def _lives(using: str) -> Iterator[dict[UUID, list[Event]]]:
    """The events of some alerts at a time, by alert, oldest first."""
    opened = Event.objects.using(using).filter(kind="alert.opened", subject_type="alert").order_by("pk")
    part = list(opened[:_BATCH])
    while part:
        keys = [event.subject_id for event in part]
        lives: dict[UUID, list[Event]] = {}
        later = Event.objects.using(using).filter(subject_type="alert", subject_id__in=keys, kind__in=_STATUS)
        for event in later.order_by("recorded_at", "pk"):
            try:
                lives.setdefault(UUID(event.subject_id), []).append(event)
            except ValueError:
                continue  # altered: the row's own check says so
        yield lives
        part = list(opened.filter(pk__gt=part[-1].pk)[:_BATCH])


def _opened(using: str, keys: Sequence[UUID]) -> Iterator[UUID]:
    events = Event.objects.using(using).filter(
        subject_type="alert", subject_id__in=[str(key) for key in keys], kind="alert.opened"
    )
    return (UUID(subject) for subject in events.values_list("subject_id", flat=True))


def _wrong(alert: Alert, life: Sequence[Event]) -> Iterator[str]:
    first, last = life[0], life[-1]
    opening = _members(first)
    shown = {name: getattr(alert, name) for name in ("topic", "by", "stance")}
    shown |= {
        "at_message": str(alert.at_message_id),
        "addressee": str(alert.addressee_id) if alert.addressee_id else None,
    }
    yield from (f"its {name} is" for name in _FIXED if name in opening and opening[name] != shown[name])
    if first.conversation_id != alert.conversation_id:
        yield "its conversation is"
    if alert.severity < opening.get("severity", 0):
        yield "its severity is"
    if alert.status != _STATUS[last.kind]:
        yield "its status is"
    elif last.kind == "alert.closed":
        if (alert.resolution, str(alert.closed_by_id or "")) != (_members(last).get("resolution"), last.actor):
            yield "how and by whom it was closed is"
        # Both are emptied by an erasure, not always together.
        if alert.comment and last.reason is not None and alert.comment != last.reason:
            yield "its comment is"
    elif last.kind == "alert.claimed" and str(alert.claimed_by_id) != last.actor:
        yield "by whom it was claimed is"


def _members(event: Event) -> dict[str, Any]:
    try:
        found = json.loads(event.data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

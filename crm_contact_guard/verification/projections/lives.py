"""Read the events about rows of working state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db.models import QuerySet

from crm_contact_guard.record.following import BySubject, Entry, members
from crm_contact_guard.record.models import Event

COLUMNS: Final = ("subject_id", "kind", "recorded_at", "actor", "data", "details", "reason", "salt")
BATCH: Final = 500


def of(using: str, source: BySubject, keys: Sequence[Any]) -> dict[str, list[Entry]]:
    """Return the events about each of these rows, oldest first, by key."""
    kinds = (*source.born, *source.more, *source.gone)
    events = Event.objects.using(using).filter(
        subject_type=source.subject, subject_id__in=[str(key) for key in keys], kind__in=kinds
    )
    lives: dict[str, list[Entry]] = {}
    for row in sorted(events.values_list(*COLUMNS, "pk"), key=lambda row: (row[2], row[-1])):
        lives.setdefault(row[0], []).append(entry(row[:-1]))
    return lives


def entry(row: Sequence[Any]) -> Entry:
    """Build an event from ``COLUMNS``. JSON that was tampered with counts as empty; the check of the row reports it."""
    _subject, kind, recorded_at, actor, data, details, reason, salt = row
    return Entry(
        kind=kind,
        recorded_at=recorded_at,
        actor=actor,
        data=members(data),
        details=members(details),
        reason=reason,
        erased=salt is None,
    )


def made(using: str, source: BySubject) -> int:
    """Return how many rows there must be according to the record."""
    subjects = _subjects(using, source.born).values("subject_id").distinct().count()
    return subjects - (_subjects(using, source.gone).values("subject_id").distinct().count() if source.gone else 0)


def keys(using: str, source: BySubject) -> Iterator[list[str]]:
    """Yield the keys of the rows that must exist according to the record, in batches."""
    events, after = _subjects(using, source.born).order_by("pk"), None
    while True:
        page = events if after is None else events.filter(pk__gt=after)
        part = list(page.values_list("pk", "subject_id")[:BATCH])
        found = list(dict.fromkeys(subject for _, subject in part))
        gone = set(_subjects(using, source.gone).filter(subject_id__in=found).values_list("subject_id", flat=True))
        yield [key for key in found if key not in gone]
        if len(part) < BATCH:
            return
        after = part[-1][0]


def _subjects(using: str, kinds: Sequence[str]) -> QuerySet[Event]:
    return Event.objects.using(using).filter(kind__in=kinds)

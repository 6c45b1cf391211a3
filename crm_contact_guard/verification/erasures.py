"""Find the rows whose personal values may be empty because their erasure was recorded.

An erasure is an event whose kind begins with ``erasure.``, with ``subject_type`` "message" or "event" and the row's
ID as ``subject_id``. Verification reports any other emptied value as tampering.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.models import Event
from crm_contact_guard.verification.report import Report

KIND_PREFIX: Final = "erasure."
_QUERY: Final = 500
_ERASURES: Final = 20_000


def recorded(using: str, kind: RowKind, ids: Iterable[bytes]) -> set[bytes]:
    """Return the subset of ``ids`` (16 bytes each) for which an erasure was recorded."""
    erased: set[bytes] = set()
    rest = iter(ids)
    while batch := list(islice(rest, _QUERY)):
        erased.update(_recorded(using, kind, [str(UUID(bytes=row_id)) for row_id in batch]))
    return erased


def _recorded(using: str, kind: RowKind, ids: Sequence[str]) -> Iterable[bytes]:
    events = Event.objects.using(using).filter(subject_type=kind, subject_id__in=ids, kind__startswith=KIND_PREFIX)
    return (UUID(subject).bytes for subject in events.values_list("subject_id", flat=True))


def check(using: str, report: Report) -> None:
    """Report erased values that have reappeared, even if they were restored from a genuine backup."""
    for kind, model in MODELS.items():
        for part in _erased(using, kind):
            for start in range(0, len(part), _QUERY):
                rows = model._base_manager.using(using).filter(pk__in=part[start : start + _QUERY], salt__isnull=False)
                for row_id in rows.values_list("pk", flat=True):
                    report.add(f"{kind} {row_id}", "was erased, but its values or their salt were restored")


def _erased(using: str, kind: str) -> Iterator[list[UUID]]:
    """Yield the IDs of the rows for which an erasure was recorded, in batches."""
    events = Event.objects.using(using).filter(kind__startswith=KIND_PREFIX, subject_type=kind).order_by("pk")
    part = list(events.values_list("pk", "subject_id")[:_ERASURES])
    while part:
        yield list(_ids(subject for _, subject in part))
        part = list(events.filter(pk__gt=part[-1][0]).values_list("pk", "subject_id")[:_ERASURES])


def _ids(texts: Iterable[str]) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue

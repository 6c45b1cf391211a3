"""Rows whose personal values may be empty: those with a recorded erasure.

An erasure is an event whose kind begins with ``erasure.``, with ``subject_type`` "message" or "event" and the row's
id as ``subject_id``. Verification reports any other emptied value as tampering.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.record.models import Event

KIND_PREFIX: Final = "erasure."
_QUERY: Final = 500


def recorded(using: str, kind: RowKind, ids: Iterable[bytes]) -> set[bytes]:
    """The subset of ``ids`` (16 bytes each) for which an erasure was recorded."""
    erased: set[bytes] = set()
    rest = iter(ids)
    while batch := list(islice(rest, _QUERY)):
        erased.update(_recorded(using, kind, [str(UUID(bytes=row_id)) for row_id in batch]))
    return erased


def _recorded(using: str, kind: RowKind, ids: Sequence[str]) -> Iterable[bytes]:
    events = Event.objects.using(using).filter(subject_type=kind, subject_id__in=ids, kind__startswith=KIND_PREFIX)
    return (UUID(subject).bytes for subject in events.values_list("subject_id", flat=True))

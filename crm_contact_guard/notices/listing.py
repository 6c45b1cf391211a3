"""The notices in the app: how many a person hasn't read, the list, and marking them as read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.events import record_notice
from crm_contact_guard.notices.models import IN_APP, Notice
from crm_contact_guard.notices.topics import Line

#: The most notices that are listed, and that are marked as read at a time.
MOST: Final = 200


@dataclass(frozen=True)
class Listed:
    """A notice in a person's list. ``line`` is None if its subject is settled or no longer visible to the person."""

    notice: Notice
    label: str | Promise
    line: Line | None


def mine(person: Employee) -> QuerySet[Notice]:
    """Return the notices that are shown to the person in the app."""
    return Notice.objects.filter(employee=person, way=IN_APP, state=Notice.State.SENT)


def unread(person: Employee) -> int:
    """Return how many notices the person hasn't read, at most ``MOST``."""
    return mine(person).filter(read_at__isnull=True)[:MOST].count()


def unread_topics(person: Employee) -> list[str]:
    """Return the topic of each notice that the person hasn't read, for at most ``MOST`` of them."""
    return list(mine(person).filter(read_at__isnull=True).values_list("topic", flat=True)[:MOST])


def listed(person: Employee, *, only_unread: bool) -> Sequence[Listed]:
    """Return the person's newest notices in the active language, newest first."""
    rows = mine(person).order_by("-pk")
    rows = rows.filter(read_at__isnull=True) if only_unread else rows
    found = list(rows[:MOST])
    ids: dict[str, list[str]] = {}
    for notice in found:
        ids.setdefault(notice.topic, []).append(notice.subject_id)
    lines = {topic: topics.lines(topic, person, subjects) for topic, subjects in ids.items()}
    labels = {topic.name: topic.label for topic in topics.known()}
    return [
        Listed(notice, labels.get(notice.topic, ""), lines[notice.topic].get(notice.subject_id)) for notice in found
    ]


@database.atomic()
def notices_read(*, actor: Employee, notice: int | None = None) -> int:
    """Mark one of the actor's notices as read, or (None) the newest ``MOST``. Return how many were unread.

    Nothing happens to other people's notices.
    """
    rows = mine(actor).filter(read_at__isnull=True)
    rows = rows.filter(pk=notice) if notice is not None else rows
    return _read(rows, by_its_person=True)


@database.atomic()
def settled(subject_type: str, subject_id: object) -> int:
    """Mark the notices about a subject as read, since nobody has to look at it any more. Return how many were unread.

    Call this in the transaction that settles the subject.
    """
    rows = Notice.objects.filter(subject_type=subject_type, subject_id=str(subject_id), way=IN_APP)
    return _read(rows.filter(state=Notice.State.SENT, read_at__isnull=True), by_its_person=False)


def _read(rows: QuerySet[Notice], *, by_its_person: bool) -> int:
    now = timezone.now()
    found = list(rows.select_for_update().order_by("-pk")[:MOST])
    for notice in found:
        notice.read_at = now
        notice.save(update_fields=["read_at"])
        record_notice(notice, "notice.read", by_its_person=by_its_person)
    return len(found)

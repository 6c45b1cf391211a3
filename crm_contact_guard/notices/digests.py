"""Digests: one notice that reports many. A digest is open, so more can join it, until a worker begins to send it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.notices import times
from crm_contact_guard.notices.events import record_notice
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.preferences import Choice
from crm_contact_guard.notices.topics import DIGEST


def join(person: Employee, choice: Choice, at: datetime) -> Notice:
    """Return the person's open digest of this cadence and way, locked until the end of the transaction.

    The lock keeps a worker from sending the digest between this call and the commit: the worker's claim waits for it.
    """
    mine = Notice.objects.filter(employee=person, topic=DIGEST, subject_type=choice.cadence, way=choice.way)
    while True:
        is_open = mine.select_for_update().filter(state=Notice.State.QUEUED, attempts=0)
        digest = is_open.order_by("pk").first() or _opened(person, choice, at, number=mine.count() + 1)
        if digest is not None:
            return digest


def _opened(person: Employee, choice: Choice, at: datetime, *, number: int) -> Notice | None:
    """Open a digest; None if another process has just done so. ``number`` counts the person's digests of this kind."""
    made = Notice(
        recipient=str(person.pk),
        employee=person,
        topic=DIGEST,
        subject_type=choice.cadence,
        subject_id=f"{number:08}",
        way=choice.way,
        created_at=timezone.now(),
        due_at=times.due(person, choice.cadence, at),
    )
    unique = {"recipient": made.recipient, "topic": DIGEST, "way": made.way}
    unique |= {"subject_type": made.subject_type, "subject_id": made.subject_id}
    with insert_once(lambda: Notice.objects.filter(**unique).first()) as insertion:
        made.save(force_insert=True)
        record_notice(made, "notice.queued")
    return made if insertion.is_first else None


def bring_forward(digest: Notice, at: datetime) -> None:
    """Make a locked digest due at ``at``, if that is earlier."""
    if digest.due_at is not None and digest.due_at <= at.astimezone(UTC):
        return
    digest.due_at = at
    digest.save(update_fields=["due_at"])
    record_notice(digest, "notice.due")
    if at <= timezone.now():
        later("notify", str(digest.pk))

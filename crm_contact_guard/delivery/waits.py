"""Messages that don't go out at once: they begin to wait, and then move from state to state.

Each move is a conditional UPDATE whose row count decides, so of two people or workers only one moves a message, and a
recall and a release never both succeed. A released message is in the outbox like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.delivery.models import Delivery, Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.record.inserting import insert_quietly
from crm_contact_guard.record.models import Message
from crm_contact_guard.record.recording import record_event

#: The state of the delivery after each event about a wait (``delivery.<word>``).
WORDS: Final = {
    "waiting": "waiting",
    "held": "held",
    "approved": "waiting",
    "rescheduled": "waiting",
    "released": "queued",
    "recalled": "recalled",
    "returned": "returned",
    "rejected": "rejected",
    "expired": "expired",
}
#: How long a message that was kept back is listed with those that wait.
LATELY: Final = timedelta(days=3)
OPEN: Final = (Wait.State.WAITING.value, Wait.State.HELD.value)


def begin(wait: Wait, *, request: str = "") -> None:
    """Let a recorded message wait instead of entering the outbox, in the transaction that records it.

    ``request`` is the digest from ``KeyedRequest.mark``.
    """
    now = timezone.now()
    insert_quietly(Delivery(message=wait.message, state=wait.state, due_at=None, updated_at=now))
    insert_quietly(wait)
    _record(wait, str(wait.state), None, data={"request": request} if request else None)


def due(now: datetime, limit: int = 200) -> list[UUID]:
    """Return the IDs of messages whose time to go, or time for a decision, has come."""
    rows = Wait.objects.filter(state__in=OPEN, due_at__lte=now).order_by("due_at")
    return list(rows.values_list("message_id", flat=True)[:limit])


@database.atomic()
def move(
    wait: Wait,
    word: str,
    *,
    actor: Employee | None = None,
    due_at: datetime | None = None,
    decided_by: Employee | None = None,
    data: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> bool:
    """Move a waiting message on, as ``wait`` was read, and record it. Return False if somebody else moved it first.

    ``word`` is one of ``WORDS``. ``due_at`` is the next time that counts, if the message still waits afterwards.
    """
    now = timezone.now()
    state = "released" if word == "released" else WORDS[word]
    changes: dict[str, Any] = {"state": state, "due_at": due_at, "ended_at": None if state in OPEN else now}
    if decided_by is not None:
        changes["decided_by"] = decided_by
    as_read = Wait.objects.filter(pk=wait.pk, state=wait.state, due_at=wait.due_at)
    if not as_read.update(**changes):
        return False
    for name, value in changes.items():
        setattr(wait, name, value)
    Delivery.objects.filter(message_id=wait.pk).update(
        state=WORDS[word], due_at=now if word == "released" else None, updated_at=now
    )
    _record(wait, word, actor, data=data, reason=reason)
    if word == "released":
        lifecycle.note_released(wait.message)
    return True


@database.atomic()
def remind(wait: Wait, now: datetime) -> bool:
    """Note that somebody is reminded of a held message. Return False if it was decided, or somebody was reminded."""
    rows = Wait.objects.filter(pk=wait.pk, state=Wait.State.HELD, reminded_at=None)
    if not rows.update(reminded_at=now):
        return False
    wait.reminded_at = now
    _record(wait, "reminded", None)
    return True


def _record(
    wait: Wait, word: str, actor: Employee | None, *, data: Mapping[str, Any] | None = None, reason: str | None = None
) -> None:
    record_event(
        kind=f"delivery.{word}",
        subject_type="message",
        subject_id=wait.pk,
        by=actor,
        message=wait.message,
        data=data,
        reason=reason,
        row=wait,
    )


def wait_of(message_id: UUID) -> Wait | None:
    """Return a message's wait with the rows that services need, or None if it went out at once."""
    rows = Wait.objects.select_related("message__conversation__customer", "message__employee", "decided_by")
    return rows.filter(pk=message_id).first()


def unsent_of(writer: Employee, now: datetime) -> QuerySet[Wait]:
    """Return the writer's messages that wait, and those that were kept back or decided against lately."""
    ended = Q(state__in=(Wait.State.RETURNED, Wait.State.REJECTED, Wait.State.EXPIRED), ended_at__gte=now - LATELY)
    return Wait.objects.filter(Q(state__in=OPEN) | ended, message__employee=writer)


def went_at(message: Message) -> datetime:
    """Return when the message left its writer: when it was written or, if it waited then, when it was released."""
    ended_at = Wait.objects.filter(pk=message.pk, state=Wait.State.RELEASED).values_list("ended_at", flat=True).first()
    return ended_at or message.occurred_at

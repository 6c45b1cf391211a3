"""The outbox, which decides which messages a worker may hand to a carrier now, and stores the results.

A claim is a conditional UPDATE whose row count decides, so two workers never hold the same message. If a claim's lease
has expired, its worker has died, and the carrier may or may not have the message. If the carrier doesn't support
idempotency keys, the message is tried once more and marked as a possible duplicate. After a second unfinished attempt,
its state becomes ``uncertain``, and people must decide what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from crm_contact_guard.channels.base import DeliveryStatus
from crm_contact_guard.conf import settings
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.hosting import database, retrying
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.inserting import insert_quietly
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event

#: Number of attempts with unknown outcome after which a message is no longer retried, unless it is sent idempotently.
MAX_UNFINISHED = 2
#: Pauses after failed attempts, in seconds. If the attempt after the last pause fails, too, the message has failed.
WAITS = (10, 60, 300, 1800, 7200, 21600)
#: Order of the states. A carrier's later reports never move a message back, except that a sent message can still fail.
ORDER = ("queued", "sending", "uncertain", "failed", "sent", "delivered", "read")


def retry() -> retrying.Retry:
    """Return the retry schedule: how long a failed delivery waits, and how long a worker may take for an attempt."""
    return retrying.Retry(waits=WAITS, lease=settings.delivery_lease)


@dataclass(frozen=True)
class Claim:
    """A message that only this worker has claimed."""

    message: Message
    attempt: int
    possible_duplicate: bool


def enqueue(message: Message, *, request: str = "", replaces: Message | None = None) -> None:
    """Put a recorded outbound message into the outbox, in the transaction that records it.

    ``request`` is the digest from ``KeyedRequest.mark``, which is empty if the client sent no key. ``replaces`` is a
    recalled message that this one was written instead of.
    """
    now = timezone.now()
    insert_quietly(Delivery(message=message, due_at=now, updated_at=now))
    data = {"request": request} if request else {}
    if replaces is not None:
        data["replaces"] = str(replaces.pk)
    _event(message, DeliveryStatus.QUEUED, data=data or None)


def due(now: datetime, limit: int = 200) -> list[UUID]:
    """Return the IDs of messages that are waiting for a worker or whose worker died."""
    rows = Delivery.objects.filter(_is_due(now)).order_by("due_at")
    return list(rows.values_list("message_id", flat=True)[:limit])


def is_due(message_id: UUID) -> bool:
    """Whether a worker may claim the message. If several workers try, ``claim`` decides between them."""
    return Delivery.objects.filter(_is_due(timezone.now()), message_id=message_id).exists()


def was_tried_before(message_id: UUID, ago: timedelta) -> bool:
    """Whether an attempt began longer than ``ago`` ago."""
    attempts = Event.objects.filter(message_id=message_id, kind=f"delivery.{DeliveryStatus.ATTEMPTED.value}")
    return attempts.filter(recorded_at__lt=timezone.now() - ago).exists()


def _is_due(now: datetime) -> Q:
    return retrying.due(now, waiting=Delivery.State.QUEUED, held=Delivery.State.SENDING)


@database.atomic()
def claim(message_id: UUID, *, idempotent: bool) -> Claim | None:
    """Claim the message for one attempt, and record the start of the attempt.

    Return None if the message is claimed by another worker, finished or not yet due. Also return None if its outcome is
    too uncertain for another attempt, which is then recorded.
    """
    now = timezone.now()
    rows = Delivery.objects.filter(message_id=message_id)
    rows.filter(retrying.left(now, held=Delivery.State.SENDING)).update(
        state=Delivery.State.QUEUED, lease_until=None, unfinished=F("unfinished") + 1
    )
    waiting = rows.filter(state=Delivery.State.QUEUED, due_at__lte=now)
    if not idempotent:
        doubtful = waiting.filter(unfinished__gte=MAX_UNFINISHED)
        if doubtful.update(state=Delivery.State.UNCERTAIN, due_at=None, updated_at=now):
            message = Message.objects.select_related("conversation").get(pk=message_id)
            _event(message, DeliveryStatus.UNCERTAIN, data={"unfinished": MAX_UNFINISHED})
            return None
    if not waiting.update(
        state=Delivery.State.SENDING,
        lease_until=retry().lease_until(now),
        attempts=F("attempts") + 1,
        updated_at=now,
    ):
        return None
    message = Message.objects.select_related("conversation__customer", "delivery").get(pk=message_id)
    # A retry after a clear refusal can't produce a duplicate. Only an attempt with unknown outcome can.
    possible_duplicate = message.delivery.unfinished > 0 and not idempotent
    _event(message, DeliveryStatus.ATTEMPTED, data=_attempt(message.delivery.attempts, possible_duplicate))
    return Claim(message=message, attempt=message.delivery.attempts, possible_duplicate=possible_duplicate)


def _attempt(number: int, possible_duplicate: bool) -> dict[str, object]:
    return {"attempt": number, "possible_duplicate": True} if possible_duplicate else {"attempt": number}


@database.atomic()
def succeeded(
    claim: Claim, status: DeliveryStatus, *, carrier_id: str = "", detail: Mapping[str, str] | None = None
) -> None:
    """Record that the carrier accepted the message."""
    data = _attempt(claim.attempt, claim.possible_duplicate)
    if carrier_id:
        data["carrier_id"] = carrier_id
    _event(claim.message, status, data=data, details=detail)
    if carrier_id:
        Delivery.objects.filter(message_id=claim.message.pk).update(carrier_id=carrier_id[:255])
    _move(claim.message.pk, status)


def postpone(message_id: UUID, until: datetime) -> None:
    """Postpone a waiting message without an attempt, because its carrier accepts nothing before ``until``."""
    Delivery.objects.filter(message_id=message_id, state=Delivery.State.QUEUED, due_at__lt=until).update(due_at=until)


def by_carrier_id(channel: str, carrier_id: str) -> Message | None:
    """Return the outbound message that has this ID at the carrier, if any."""
    if not carrier_id:
        return None
    rows = Delivery.objects.filter(carrier_id=carrier_id[:255], message__channel=channel).select_related(
        "message__conversation"
    )
    delivery = rows.first()
    return delivery.message if delivery is not None else None


def by_own_id(channel: str, message_id: str, *, carrier_id: str) -> Message | None:
    """Return the outbound message with this ID of ours, if any.

    This serves status events that arrive before or without the carrier's answer. Store the carrier's ID, as the answer
    would have done.
    """
    try:
        key = UUID(message_id)
    except ValueError:
        return None
    rows = Delivery.objects.filter(message_id=key, message__channel=channel)
    delivery = rows.select_related("message__conversation").first()
    if delivery is None:
        return None
    if carrier_id and not delivery.carrier_id:
        rows.filter(carrier_id="").update(carrier_id=carrier_id[:255])
    return delivery.message


@database.atomic()
def failed(
    claim: Claim,
    *,
    permanent: bool,
    error: str,
    uncertain: bool = False,
    detail: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> datetime | None:
    """Record a refusal or, with ``uncertain``, an attempt without an answer. Return when the next one is due, or None.

    After the last attempt, a message that any of the attempts may have delivered ends as ``uncertain``, not as failed.
    ``retry_after`` is the minimum waiting time that the carrier requested, in seconds.
    """
    now = timezone.now()
    unfinished = claim.message.delivery.unfinished + int(uncertain)
    due_at = None if permanent else retry().again_at(claim.attempt, now, retry_after=retry_after)
    data = {"attempt": claim.attempt, "permanent": permanent, "uncertain": uncertain, "final": due_at is None}
    _event(claim.message, DeliveryStatus.FAILED, data=data, details={**(detail or {}), "error": error})
    end = Delivery.State.UNCERTAIN if unfinished else Delivery.State.FAILED
    if unfinished and due_at is None:
        _event(claim.message, DeliveryStatus.UNCERTAIN, data={"unfinished": unfinished})
    Delivery.objects.filter(message_id=claim.message.pk, state=Delivery.State.SENDING).update(
        state=Delivery.State.QUEUED if due_at is not None else end,
        due_at=due_at,
        lease_until=None,
        unfinished=F("unfinished") + int(uncertain),
        last_error=canonical_text(error)[:500],
        updated_at=now,
    )
    return due_at


def forget_errors(message_ids: Sequence[UUID]) -> None:
    """Remove the carriers' error messages for erased messages, because they may contain addresses."""
    Delivery.objects.filter(message__in=message_ids).exclude(last_error="").update(last_error="")


@database.atomic()
def carrier_said(
    message: Message,
    status: DeliveryStatus,
    *,
    occurred_at: datetime,
    detail: Mapping[str, str] | None = None,
    carrier_id: str = "",
) -> Event:
    """Record a later status event (delivered, read, bounced). It is shown only if it moves the state forward.

    ``carrier_id`` is the ID that the carrier uses for the message.
    """
    event = _event(message, status, occurred_at=occurred_at, data={"named": carrier_id[:255]}, details=detail)
    _move(message.pk, status)
    return event


def _move(message_id: UUID, status: DeliveryStatus) -> None:
    earlier_states = ORDER[: ORDER.index(status.value)]
    if status is DeliveryStatus.FAILED:
        earlier_states += ("sent",)  # a bounce follows acceptance by the carrier
    Delivery.objects.filter(message_id=message_id, state__in=earlier_states).update(
        state=status.value, due_at=None, lease_until=None, last_error="", updated_at=timezone.now()
    )


def _event(
    message: Message,
    status: DeliveryStatus,
    *,
    occurred_at: datetime | None = None,
    data: Mapping[str, object] | None = None,
    details: Mapping[str, str] | None = None,
) -> Event:
    return record_event(
        kind=f"delivery.{status.value}",
        subject_type="message",
        subject_id=message.pk,
        actor_type=Event.ActorType.SYSTEM
        if status.value in ("queued", "attempted", "uncertain")
        else Event.ActorType.CARRIER,
        message=message,
        occurred_at=occurred_at,
        data=data,
        details=details,
    )

"""Rules for comparing the outbox, the state of carriers and clients' idempotency keys with the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from crm_contact_guard.delivery import outbox
from crm_contact_guard.delivery.health import MAX_PAUSE
from crm_contact_guard.delivery.idempotency import mark
from crm_contact_guard.delivery.models import Carrier, Delivery, IdempotencyKey, Wait
from crm_contact_guard.delivery.outcome import Outcome, outcomes
from crm_contact_guard.delivery.waits import WORDS
from crm_contact_guard.record.following import (
    CLOCKS,
    BySubject,
    Checked,
    Elsewhere,
    Follows,
    Life,
    Recorded,
    Row,
    Unproven,
    follows,
    members,
    not_after,
    plain,
)
from crm_contact_guard.record.models import Event

#: Longest time that a message can wait for its next attempt.
_WAIT: Final = max(timedelta(seconds=max(outbox.WAITS)), MAX_PAUSE)
#: The events that begin a wait. A message that goes at once begins with ``delivery.queued``.
_BORN_WAITING: Final = ("delivery.waiting", "delivery.held")
_QUEUED: Final = ("delivery.queued", *_BORN_WAITING)


def _outcome(row: Row, life: Life) -> Outcome:
    """Return the state that follows from the events.

    If the order of the events is uncertain, use the order that fits the row best.
    """
    if not isinstance(life.beside, Outcome):
        life.beside = max(
            outcomes(life.events), key=lambda one: sum(row[name] == value for name, value in vars(one).items())
        )
    return life.beside


def _told(column: str) -> Checked:
    def check(row: Row, life: Life) -> object | None:
        wanted = getattr(_outcome(row, life), column)
        return None if row[column] == wanted else repr(wanted)

    return Checked("what its events make of it", check)


def _carrier_id(row: Row, life: Life) -> object | None:
    wanted = _outcome(row, life).carrier_id
    if row["carrier_id"] == wanted or (not wanted and _is_of_an_earlier_version(life)):
        return None
    return repr(wanted)


def _is_of_an_earlier_version(life: Life) -> bool:
    """Whether an event is from a version before 1.0.

    Such events don't contain the ID that the carrier uses for the message.
    """
    return any(
        event.kind.removeprefix("delivery.") in ("delivered", "read", "failed")
        and not event.data.keys() & {"attempt", "carrier_id", "named"}
        for event in life.events
    )


def _last_error(row: Row, life: Life) -> object | None:
    wanted = _outcome(row, life).last_error
    return None if wanted is None or row["last_error"] == wanted else "the error of its newest event"


def _due_at(row: Row, life: Life) -> object | None:
    state = _outcome(row, life).state
    if state not in ("queued", "sending"):
        return None if row["due_at"] is None else "nothing"
    limit = life.now + _WAIT + CLOCKS
    return None if row["due_at"] is not None and row["due_at"] <= limit else f"a time up to {plain(limit)}"


def _lease_until(row: Row, life: Life) -> object | None:
    if _outcome(row, life).state != "sending":
        return None if row["lease_until"] is None else "nothing"
    limit = life.now + outbox.retry().lease + CLOCKS
    return None if row["lease_until"] is not None and row["lease_until"] <= limit else f"a time up to {plain(limit)}"


def _updated_at(row: Row, life: Life) -> object | None:
    first, last = life.events[0].recorded_at - CLOCKS, life.events[-1].recorded_at + CLOCKS
    return None if first <= row["updated_at"] <= last else f"{plain(first)} to {plain(last)}"


follows(
    Follows(
        model=Delivery,
        events=BySubject(
            subject="message",
            born=("delivery.queued", *_BORN_WAITING),
            more=tuple(
                f"delivery.{word}" for word in ("attempted", "sent", "delivered", "read", "failed", "uncertain", *WORDS)
            ),
        ),
        columns={
            "message_id": Elsewhere("the events that made the row name it"),
            "state": _told("state"),
            "attempts": _told("attempts"),
            "unfinished": _told("unfinished"),
            "due_at": Checked("nothing when it is done, else at most the longest wait from now", _due_at),
            "lease_until": Checked("nothing unless an attempt runs, then at most its lease from now", _lease_until),
            "last_error": Checked("the error of the newest event; not compared after an erasure", _last_error),
            "carrier_id": Checked("the id that the carrier's events name", _carrier_id),
            "updated_at": Checked("between its first and its newest event", _updated_at),
        },
    )
)

_RECORDED: Final = Recorded()

follows(
    Follows(
        model=Wait,
        events=BySubject(
            subject="message",
            born=_BORN_WAITING,
            more=tuple(f"delivery.{word}" for word in (*WORDS, "reminded")),
        ),
        columns={
            "message_id": Elsewhere("the events that made the row name it"),
            "reason": _RECORDED,
            "state": _RECORDED,
            "due_at": _RECORDED,
            "wanted_at": _RECORDED,
            "answered": _RECORDED,
            "replaces_id": _RECORDED,
            "decided_by_id": _RECORDED,
            "reminded_at": _RECORDED,
            "ended_at": _RECORDED,
        },
    )
)

_CHANGING: Final = Unproven("counts attempts of the moment; a wrong value delays messages by minutes at most")

follows(
    Follows(
        model=Carrier,
        columns={
            "channel": Unproven("the settings' channels count; a row of another name is not used"),
            "minute": not_after("minute", timedelta(0), "not in the future"),
            "taken": _CHANGING,
            "resume_at": not_after("resume_at", MAX_PAUSE, "at most the longest pause from now"),
            "failing_since": not_after("failing_since", timedelta(0), "not in the future"),
            "failures": Unproven("counts attempts of the moment; a wrong value warns of a carrier, or not"),
        },
        deleted="counts attempts of the moment, and is made anew with the next message",
        added="the settings' channels count; a row of another name is not used",
    )
)


def _requests(using: str, rows: Sequence[Row]) -> Mapping[Any, Any]:
    """Return, by the row's ID, the data, time and employee of the event that queued the row's message."""
    events = Event.objects.using(using).filter(
        subject_type="message", subject_id__in=[str(row["message_id"]) for row in rows], kind__in=_QUEUED
    )
    # The first event of a message is the one that counts, so it comes last.
    newest_first = events.order_by("-recorded_at", "-pk")
    columns = "subject_id", "data", "recorded_at", "message__employee"
    told = {row[0]: row[1:] for row in newest_first.values_list(*columns)}
    return {row["id"]: told.get(str(row["message_id"])) for row in rows}


def _request(row: Row, life: Life) -> object | None:
    """Compare the digest of the key, its employee and the request with the recorded one."""
    if life.beside is None:
        return "the key of a message that was queued"
    wanted = members(life.beside[0]).get("request")
    # Events from versions before 1.0 don't contain the digest.
    if wanted is None and life.is_earlier:
        return None
    return None if wanted == mark(row["employee_id"], row["key"], row["request_digest"]) else "what was recorded"


def _created_at(row: Row, life: Life) -> object | None:
    if life.beside is None or abs(row["created_at"] - life.beside[1]) <= CLOCKS:
        return None
    return str(plain(life.beside[1]))


_REQUEST: Final = Checked("a digest of key, employee and request in the event that queued the message", _request)

follows(
    Follows(
        model=IdempotencyKey,
        beside=_requests,
        columns={
            "id": Unproven("a number that nothing refers to"),
            "employee_id": _REQUEST,
            "key": _REQUEST,
            "request_digest": _REQUEST,
            "message_id": _REQUEST,
            "created_at": Checked("within a minute of the event that queued the message", _created_at),
        },
        deleted="a repeated request would be sent again, which the record shows as two messages",
    )
)

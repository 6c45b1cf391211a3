"""Rules for comparing conversations, chat links and the IDs of carrier events with the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from crm_contact_guard.conversations.models import CarrierEventId, ChatLink
from crm_contact_guard.record.following import (
    CLOCKS,
    BySubject,
    Checked,
    Elsewhere,
    Entry,
    Follows,
    Life,
    Recorded,
    Row,
    Unproven,
    follows,
    marked,
    not_after,
    plain,
)
from crm_contact_guard.record.models import AUTO, Conversation, Direction, Message
from crm_contact_guard.record.reached import UNSENT, reached

_KEY: Final = Elsewhere("the events that made the row name it")
#: Source of messages that the app itself received or sent. Other messages don't change the state of a conversation.
_LIVE: Final = "live"


@dataclass(kw_only=True)
class _Talk:
    """The facts about a conversation that its messages establish."""

    customer: UUID | None = None
    tenant: str | None = None
    last: datetime | None = None
    channels: set[str] = field(default_factory=set)
    messages: int = 0
    #: Whether the newest message from the customer was answered.
    answered: bool = True
    #: When the newest message from the customer was recorded, if it was not answered.
    heard: datetime | None = None
    #: Whether a message from the customer, or a call, occurred exactly at the row's ``waiting_since``.
    asked: bool = False


def _talks(using: str, rows: Sequence[Row]) -> Mapping[Any, _Talk]:
    """Return what the messages establish about each conversation, by the conversation's ID.

    For most conversations, it is enough to read the newest message, which an index finds.
    """
    talks = {row["id"]: _Talk() for row in rows}
    messages = Message.objects.using(using).filter(conversation__in=talks).order_by()
    for key, count in messages.values_list("conversation_id").annotate(Count("pk")):
        talks[key].messages = count
    newest = Message.objects.using(using).filter(conversation=OuterRef("pk")).order_by("-occurred_at", "-pk")
    found = Conversation.objects.using(using).filter(pk__in=talks).annotate(newest=Subquery(newest.values("pk")[:1]))
    columns = "conversation_id", "customer_id", "tenant", "occurred_at", "direction", "channel", "source"
    last = Message.objects.using(using).filter(pk__in=list(found.values_list("newest", flat=True)))
    for key, customer, tenant, occurred, direction, channel, source, state in last.values_list(
        *columns, "delivery__state"
    ):
        talk = talks[key]
        talk.customer, talk.tenant, talk.last = customer, tenant, occurred
        answers = direction != Direction.INBOUND and source != AUTO and state not in UNSENT
        talk.channels, talk.answered = {channel}, answers
    _read_all(messages, {row["id"]: talks[row["id"]] for row in rows if _is_doubtful(row, talks[row["id"]])})
    waiting = {row["id"]: row["waiting_since"] for row in rows if row["waiting_since"] is not None}
    asked = messages.filter(conversation__in=waiting, occurred_at__in=set(waiting.values()))
    for key, occurred in asked.exclude(direction=Direction.OUTBOUND).values_list("conversation_id", "occurred_at"):
        talks[key].asked |= waiting[key] == occurred
    return talks


def _is_doubtful(row: Row, talk: _Talk) -> bool:
    """Whether the newest message alone can't confirm the row, so that all messages must be read."""
    waits = row["waiting_since"] is not None or talk.answered
    return bool(talk.messages) and (row["channel"] not in talk.channels or not waits or row["state"] == "closed")


def _read_all(messages: QuerySet[Message], talks: Mapping[Any, _Talk]) -> None:
    for talk in talks.values():
        talk.channels = set()
    received: dict[Any, datetime] = {}
    sent: dict[Any, datetime] = {}
    own = Q(reply_to__isnull=True)  # files that were fetched later don't change the conversation
    groups = reached(messages.filter(own, conversation__in=talks, source=_LIVE)).exclude(direction=Direction.NOTE)
    columns = "conversation_id", "direction", "channel"
    for key, direction, channel, recorded in groups.values_list(*columns).annotate(Max("recorded_at")):
        talks[key].channels.add(channel)
        of = received if direction == Direction.INBOUND else sent
        of[key] = max(recorded, of.get(key, recorded))
    for key, talk in talks.items():
        talk.heard = received.get(key)
        talk.answered = key not in received or (key in sent and sent[key] > received[key] - CLOCKS)


def _customer(row: Row, life: Life) -> object | None:
    wanted = life.beside.customer
    return None if wanted in (None, row["customer_id"]) else wanted


def _tenant(row: Row, life: Life) -> object | None:
    wanted = life.beside.tenant
    return None if wanted in (None, row["tenant"]) else repr(wanted)


def _channel(row: Row, life: Life) -> object | None:
    known = {*life.beside.channels, life.at_first("channel")} - {None}
    return None if row["channel"] in known or not known else " or ".join(map(repr, sorted(known)))


def _state(row: Row, life: Life) -> object | None:
    began = life.at_first("state")
    if began is None or row["state"] == began or (row["state"] == "open" and life.beside.messages):
        return None
    return repr(began)


def _last_message_at(row: Row, life: Life) -> object | None:
    wanted = life.beside.last
    return None if row["last_message_at"] == wanted else plain(wanted) or "nothing"


def _waiting_since(row: Row, life: Life) -> object | None:
    talk: _Talk = life.beside
    if row["waiting_since"] is not None:
        return None if talk.asked else "the time of a message from the customer"
    done = row["done_at"] is not None and talk.heard is not None and talk.heard <= row["done_at"] + CLOCKS
    return None if talk.answered or done else "the time of the first message that was not answered"


def _never(column: str) -> Callable[[Row, Life], object | None]:
    """Rows whose events don't contain the column have never had a value in it."""
    return lambda row, _life: None if row[column] is None else "nothing"


def _unread(row: Row, life: Life) -> object | None:
    return None if row["unread"] <= life.beside.messages else f"at most {life.beside.messages}"


def _linked_before(event: Entry) -> Mapping[str, Any]:
    """Return the conversation's columns that an event from a version before 1.0 contains."""
    return {"customer_id": event.data.get("to")} if event.kind == "conversation.linked" else {}


follows(
    Follows(
        model=Conversation,
        events=BySubject(
            subject="conversation",
            born=("conversation.opened",),
            more=(
                "conversation.taken_over",
                "conversation.linked",
                "conversation.reassigned",
                "conversation.done",
                "conversation.undone",
                "conversation.snoozed",
                "conversation.snoozed_again",
                "conversation.woken",
            ),
            is_new=True,
        ),
        beside=_talks,
        earlier=_linked_before,
        columns={
            "id": _KEY,
            "tenant": Recorded(otherwise=_tenant),
            "customer_id": Recorded(otherwise=_customer),
            "employee_id": Recorded(),
            "team_id": Recorded(),
            "subject": Recorded(personal=True),
            "channel": Checked("a channel that it began with or one of its messages came by", _channel, carried=True),
            "state": Checked("as it began, or open once it has a message", _state, carried=True),
            "reply_token": Recorded(secret=True),
            "created_at": Recorded(),
            "last_message_at": Checked("the time of its newest message", _last_message_at),
            "waiting_since": Checked(
                "the time of a message from the customer; nothing only when the newest one was answered or the "
                "conversation was done since",
                _waiting_since,
            ),
            "done_at": Recorded(otherwise=_never("done_at")),
            "snoozed_until": Recorded(otherwise=_never("snoozed_until")),
            "snoozed_at": Recorded(otherwise=_never("snoozed_at")),
            "unread": Checked("at most the number of its messages: reading is not recorded", _unread),
        },
    )
)

_NOT_FUTURE: Final = "not in the future: what it shows lasts for seconds and is not recorded"

follows(
    Follows(
        model=ChatLink,
        events=BySubject(
            subject="chat_link", born=("chat_link.created",), more=("chat_link.revoked", "chat_link.ended")
        ),
        columns={
            "id": _KEY,
            "conversation_id": Recorded(),
            "token_hash": Recorded(secret=True),
            "created_by_id": Recorded(),
            "created_at": Recorded(),
            "expires_at": Recorded(),
            "revoked_at": Recorded(otherwise=marked("revoked_at", "chat_link.revoked", "chat_link.ended")),
            "last_seen_at": not_after("last_seen_at", timedelta(0), _NOT_FUTURE),
            "customer_typing_at": not_after("customer_typing_at", timedelta(0), _NOT_FUTURE),
            "employee_typing_at": not_after("employee_typing_at", timedelta(0), _NOT_FUTURE),
        },
    )
)


def _messages(using: str, rows: Sequence[Row]) -> Mapping[Any, Any]:
    keys = {row["message_id"] for row in rows if row["message_id"] is not None}
    messages = Message.objects.using(using).filter(pk__in=keys).values_list("pk", "channel", "source", "recorded_at")
    told = {message[0]: message[1:] for message in messages}
    return {row["id"]: told.get(row["message_id"]) for row in rows}


def _carrier(row: Row, life: Life) -> object | None:
    if life.beside is None:
        return None
    channel, source, _recorded_at = life.beside
    return None if row["channel"] in (channel, source) else repr(channel)


def _received_at(row: Row, life: Life) -> object | None:
    first = life.beside[2] - CLOCKS if life.beside is not None else None
    if (first is None or row["received_at"] >= first) and row["received_at"] <= life.now + CLOCKS:
        return None
    return f"{plain(first) or 'any time'} to {plain(life.now)}"


follows(
    Follows(
        model=CarrierEventId,
        beside=_messages,
        columns={
            "id": Unproven("a number that nothing refers to"),
            "channel": Checked("the channel of its message; not compared where it has none", _carrier),
            "event_id": Unproven(
                "the carrier's word, which no event repeats; contact_guard_reconcile asks the carrier"
            ),
            "message_id": Unproven("only what a repeated event answers depends on it"),
            "received_at": Checked("not before its message, and not in the future", _received_at),
        },
        deleted="an event that the carrier repeats would be recorded again, which the record shows as two",
        added="its real event would look like a repeated one; contact_guard_reconcile finds the missing message",
    )
)

from crm_contact_guard.conversations.desk import follows as desk_follows  # noqa: E402, F401 - its tables
from crm_contact_guard.conversations.restrictions import follows as restriction_follows  # noqa: E402, F401 - its table

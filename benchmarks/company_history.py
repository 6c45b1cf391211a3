"""A company's history of any length: 1,000 messages a day until now, sealed, so that verification finds no fault.

Two years of it would take hours through the gateway. The same rows are built here with the same functions and written
in bulk: for each message its inspection, its delivery if it went out, and their events.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

MESSAGES_A_DAY = 1000
#: Messages of a conversation, over three weeks. Then the customer is silent.
IN_A_TALK = 40
TALK_DAYS = 20
EMPLOYEES, TEAMS = 40, 4
#: The newest conversations have alerts: one in so many, and so many in all.
TALKS_AN_ALERT, OPEN_ALERTS = 3, 100
#: Recorded rows that are written and sealed at once: those of some hours.
ROWS = 1000
TEXTS = (
    "明日の朝食は7時からご用意しております。ご不明な点がございましたらフロントまでお申し付けください。",
    "Thank you for your message. Your room will be ready from three o'clock, and the shuttle leaves at four.",
    "先日お願いした見積書の件ですが、来週の火曜日までにお送りいただけますでしょうか。",
)


class Past:
    """Stands in for the clock and the writing of recorded rows, so that services build rows of an earlier time."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.rows: list[Any] = []

    def now(self) -> datetime:
        """Return a later time at each call, since the order of events follows from their times."""
        self.at += timedelta(milliseconds=1)
        return self.at

    def uuid7(self) -> UUID:
        from crm_contact_guard.directory.ids import uuid7

        late = uuid7().int & ((1 << 80) - 1)
        return UUID(int=(int(self.at.timestamp() * 1000) << 80) | late)


@contextmanager
def in_the_past() -> Iterator[Past]:
    """Let ``record_message`` and ``record_event`` build rows of ``Past.at`` that are kept instead of written."""
    from crm_contact_guard.record import recording
    from crm_contact_guard.sealing import sealer

    past = Past()
    before = recording.timezone, recording.uuid7, recording.insert, sealer.timezone
    recording.timezone = sealer.timezone = past  # type: ignore[assignment]
    recording.uuid7, recording.insert = past.uuid7, past.rows.append  # type: ignore[assignment]
    try:
        yield past
    finally:
        recording.timezone, recording.uuid7, recording.insert, sealer.timezone = before


def history(messages: int) -> dict[str, Any]:
    """Write ``messages`` messages and seal them. Return the employees by their names in lower case."""
    from django.utils import timezone

    from crm_contact_guard.sealing.sealer import seal

    count, now = max(messages // IN_A_TALK, 1), timezone.now()
    begin = now - timedelta(days=messages / MESSAGES_A_DAY + TALK_DAYS)
    with in_the_past() as past:
        past.at = begin
        people = _mirrored(count)
        talks = list(_talks(past, begin))
        apart, pause = timedelta(days=IN_A_TALK / MESSAGES_A_DAY), timedelta(days=TALK_DAYS / IN_A_TALK)
        moments = sorted(
            (begin + number * apart + turn * pause, number, turn)
            for number in range(count)
            for turn in range(IN_A_TALK)
            if begin + number * apart + turn * pause < now
        )
        working: list[Any] = []
        for at, number, turn in moments:
            past.at = at
            working += _message(talks[number], turn)
            if len(past.rows) > ROWS:
                _write(past.rows, working)
        _write(past.rows, working)
    _end(talks)
    seal()
    return people


def _mirrored(customers: int) -> dict[str, Any]:
    """Write the staff and customers of the host, and mirror them."""
    from crm_contact_guard.directory.models import Employee
    from crm_contact_guard.directory_sync import sync_all
    from tests import factories
    from tests.host.models import Client

    teams = [factories.team(f"Team {number}", head=f"head{number}") for number in range(TEAMS)]
    users = [
        factories.user(f"staff{number}", branch=teams[number % TEAMS], hours={"mon-sun": "00:00-24:00"})
        for number in range(EMPLOYEES)
    ]
    for job in ("compliance", "auditor"):
        factories.user(job, job=job)
    Client.objects.bulk_create(
        Client(full_name=f"Guest {number}", emails=f"guest{number}@mail.example", manager=users[number % EMPLOYEES])
        for number in range(customers)
    )
    sync_all()
    return {row.name.lower(): row for row in Employee.objects.all()}


def _talks(past: Past, begin: datetime) -> Iterator[Any]:
    """Open a conversation with each customer."""
    from crm_contact_guard.conversations.lifecycle import conversation_open
    from crm_contact_guard.directory.models import Customer

    past.at = begin
    for customer in Customer.objects.select_related("owner", "team").order_by("pk"):
        yield conversation_open(customer=customer, channel="email")
        if len(past.rows) > ROWS:
            _write(past.rows, [])


def _message(talk: Any, turn: int) -> list[Any]:
    """Build a message with its events. Return its rows of working state."""
    from crm_contact_guard.delivery.models import Delivery
    from crm_contact_guard.record import recording
    from crm_contact_guard.record.recording import record_event, record_message
    from crm_contact_guard.supervision.models import Inspection

    at, inbound = recording.timezone.now(), turn % 2 == 0
    message = record_message(
        conversation=talk, direction="inbound" if inbound else "outbound", channel="email", occurred_at=at,
        employee_id=talk.employee_id, text=TEXTS[turn % len(TEXTS)], subject="Re: ご予約について",
        from_name="佐藤花子" if inbound else "Aoi", from_address="guest@mail.example" if inbound else "hello@kaede.example",
        carrier_id=f"<{talk.reply_token}.{turn}@mail.example>" if inbound else "",
    )  # fmt: skip
    system = {"subject_type": "message", "subject_id": message.pk, "actor_type": "system", "message": message}
    mark = Inspection(message=message, stance="none", score=0.01, version="1", inspected_at=at)
    rows: list[Any] = [mark]
    if not inbound:
        sent = f"<{talk.reply_token}.{turn}@kaede.example>"
        rows.append(Delivery(message=message, state="sent", attempts=1, carrier_id=sent, updated_at=at))
        record_event(kind="delivery.queued", **system)
        record_event(kind="delivery.attempted", data={"attempt": 1}, **system)
        record_event(kind="delivery.sent", data={"attempt": 1, "carrier_id": sent}, **system)
    record_event(kind="message.inspected", row=mark, **system)
    talk.last_message_at, talk.waiting_since, talk.unread = at, at if inbound else None, int(inbound)
    return rows


def _write(recorded: list[Any], working: list[Any]) -> None:
    """Write the rows in bulk, seal them, and empty both lists."""
    from crm_contact_guard.hosting import database
    from crm_contact_guard.sealing.sealer import seal

    with database.atomic():
        for model in dict.fromkeys(type(row) for row in [*sorted(recorded, key=_order), *working]):
            rows = [row for row in [*recorded, *working] if type(row) is model]
            model._base_manager.bulk_create(rows, batch_size=500)
    recorded.clear()
    working.clear()
    seal()


def _order(row: Any) -> bool:
    """Messages before the events that name them."""
    return type(row).__name__ == "Event"


def _end(talks: list[Any]) -> None:
    """Write what the messages changed in their conversations, and raise an alert in some."""
    from crm_contact_guard.record.models import Conversation, Message
    from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise

    Conversation.objects.bulk_update(talks, ["last_message_at", "waiting_since", "unread"], batch_size=500)
    for talk in talks[-OPEN_ALERTS * TALKS_AN_ALERT :: TALKS_AN_ALERT]:
        message = Message.objects.filter(conversation=talk).order_by("-occurred_at").first()
        if message is None:
            continue
        finding = NewFinding(
            message=message, kind="contact_request", start=0, end=5, score=0.9, detector="rule", version="1"
        )
        verdict = Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[finding])
        alert_raise(conversation=talk, verdict=verdict, notify=False)

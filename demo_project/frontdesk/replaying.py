"""Replays recorded conversations (threads of the corpus) through the plugin's gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import inline
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.models import Alert, Stance, Topic
from demo_project.frontdesk.models import Guest, User

#: Maximum pause in minutes, to stay within the range of dates.
_MAX_MINUTES = 10 * 366 * 24 * 60.0
_START = time(10, 0)
_ATTEMPTS = (Stance.OFFER, Stance.ASK, Stance.ACCEPT)


class InvalidThread(ValueError):
    """A line that is not a valid thread; the message says why."""


@dataclass(frozen=True)
class Line:
    """One message of a thread; ``minutes`` is the pause before it."""

    direction: Direction
    minutes: float
    text: str


@dataclass(frozen=True)
class Thread:
    """A conversation to replay. Other keys of the corpus are ignored."""

    id: Any
    lines: tuple[Line, ...]
    language: str = "ja"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Supervision's verdict on a thread; ``at`` is the index of the message that completes the evidence."""

    id: Any
    attempt: bool
    by: str | None
    at: int | None

    def as_json(self) -> str:
        return json.dumps({"id": self.id, "attempt": self.attempt, "by": self.by, "at": self.at}, ensure_ascii=False)


def read_thread(raw: str) -> Thread:
    """Parse one line of the file. Raises InvalidThread."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidThread(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidThread("not a JSON object")
    if "id" not in value:
        raise InvalidThread('"id" is missing')
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidThread('"messages" must be a list with at least one message')
    lines = tuple(_line(index, message) for index, message in enumerate(messages))
    return Thread(value["id"], lines, "ja" if str(value.get("lang", "ja")) == "ja" else "en")


def _line(index: int, message: Any) -> Line:
    where = f"messages[{index}]"
    if not isinstance(message, dict):
        raise InvalidThread(f"{where} is not a JSON object")
    direction, text, minutes = message.get("direction"), message.get("text"), message.get("minutes_after_previous", 0)
    if direction not in (Direction.INBOUND, Direction.OUTBOUND):
        raise InvalidThread(f'{where}: "direction" must be "inbound" or "outbound", not {direction!r}')
    if not isinstance(text, str):
        raise InvalidThread(f'{where}: "text" must be a string')
    if minutes is None:
        minutes = 0
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 <= minutes <= _MAX_MINUTES:
        raise InvalidThread(f'{where}: "minutes_after_previous" must be a number of minutes, at least 0')
    return Line(Direction(direction), float(minutes), text)


def replay(thread: Thread, *, user: User) -> Verdict:
    """Replay a thread with a new guest and the employee, run all tasks in this process, and return the verdict.

    Raises ContactGuardError if the gateway rejects a message, for example an empty one from the employee.
    """
    conversation, employee = _new_conversation(thread, user)
    at = hours.local_time(employee, hours.next_working_day(employee, timezone.now()), _START)
    messages: list[Message] = []
    with inline():
        for line in thread.lines:
            at += timedelta(minutes=line.minutes)
            messages.append(_say(conversation, employee, line, at))
    return _verdict(thread.id, conversation, messages)


def _new_conversation(thread: Thread, user: User) -> tuple[Conversation, Employee]:
    guest = Guest.objects.create(
        code=f"R-{uuid4().hex[:20]}",
        name=f"Replay {str(thread.id)[:60]}",
        language=thread.language,
        owner=user,
        source=Guest.Source.REPLAY,
    )
    conversation = conversation_open(customer=customer_for(guest), channel="chat", subject=f"Replay {thread.id}")
    if conversation.employee is None:
        raise InvalidThread(f"{user} is not an employee in the contact guard")
    return conversation, conversation.employee


def _say(conversation: Conversation, employee: Employee, line: Line, at: datetime) -> Message:
    message: Message | None
    if line.direction is Direction.INBOUND:
        message = gateway.receive(
            InboundMessage(
                channel="chat",
                event_id=f"replay-{uuid4()}",
                from_address="",
                text=line.text,
                occurred_at=at,
                reply_tokens=(conversation.reply_token,),
            )
        ).message
    else:
        confirmed = Override(code=OverrideCode.OTHER, text="replay")
        message = gateway.send(
            actor=employee, conversation=conversation, text=line.text, override=confirmed, occurred_at=at
        ).message
    if message is None:
        raise InvalidThread("a message was held back by the company's rules")
    return message


def _verdict(thread_id: Any, conversation: Conversation, messages: list[Message]) -> Verdict:
    """The first attempt: an alert about leaving the company's channels with the stance offer, ask or accept."""
    order: Mapping[Any, int] = {message.pk: index for index, message in enumerate(messages)}
    alerts = Alert.objects.filter(conversation=conversation, topic=Topic.OFF_CHANNEL, stance__in=_ATTEMPTS)
    attempts = sorted((order[alert.at_message_id], alert.by) for alert in alerts)
    if not attempts:
        return Verdict(id=thread_id, attempt=False, by=None, at=None)
    at, by = attempts[0]
    return Verdict(id=thread_id, attempt=True, by=by, at=at)

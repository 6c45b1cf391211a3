"""Loads conversations from ``talks.toml`` through the plugin's gateway, with the times at which they were written."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import inline
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Conversation
from demo_project.frontdesk.models import Guest
from demo_project.frontdesk.seed.people import read


def load_talks() -> int:
    """Load and inspect all missing conversations. Returns the number of messages added.

    An incomplete conversation is continued where it stopped.
    """
    with inline():
        return sum(_load(talk) for talk in read("talks.toml")["talks"])


def _load(talk: dict[str, Any]) -> int:
    guest = Guest.objects.get(code=talk["guest"])
    customer = customer_for(guest)
    conversation = Conversation.objects.filter(customer=customer, subject=talk["subject"]).first()
    conversation = conversation or conversation_open(
        customer=customer, channel=talk["channel"], subject=talk["subject"]
    )
    employee = conversation.employee
    if employee is None:
        raise LookupError(f"{guest} has no owner")
    existing = conversation.messages.count()
    at = _start(employee, talk)
    for number, (who, minutes, text) in enumerate(talk["lines"]):
        at += timedelta(minutes=minutes)
        if number < existing:
            continue
        if who == "guest":
            _guest_writes(conversation, guest, text, at, event_id=f"demo-{talk['guest']}-{number}")
        elif who == "staff":
            _employee_writes(conversation, employee, text, at)
        else:
            _employee_notes(conversation, employee, who, text, at)
    return max(0, len(talk["lines"]) - existing)


def _start(employee: Employee, talk: dict[str, Any]) -> datetime:
    """The time of the first message: the given number of the employee's working days ago.

    Short working days do not count, since an afternoon conversation would be after hours.
    """
    day = timezone.now().astimezone(hours.zone(employee)).date()
    remaining = int(talk["day"])
    minutes = [sum(span.end - span.start for span in spans) for spans in hours.week_of(employee)]
    while remaining:
        day -= timedelta(days=1)
        remaining -= minutes[day.weekday()] == max(minutes) and not hours.is_holiday(day)
    return hours.local_time(employee, day, time.fromisoformat(talk["at"]))


def _guest_writes(conversation: Conversation, guest: Guest, text: str, at: datetime, *, event_id: str) -> None:
    by_mail = conversation.channel == "email"
    gateway.receive(
        InboundMessage(
            channel=conversation.channel,
            event_id=event_id,
            from_address=guest.email if by_mail else "",
            from_name=guest.name,
            text=text,
            subject=conversation.subject if by_mail else "",
            occurred_at=at,
            reply_tokens=(conversation.reply_token,),
        )
    )


def _employee_writes(conversation: Conversation, employee: Employee, text: str, at: datetime) -> None:
    confirmed = Override(code=OverrideCode.CUSTOMER_ASKED, text="お客様のご希望のため")
    gateway.send(actor=employee, conversation=conversation, text=text, override=confirmed, occurred_at=at)


def _employee_notes(conversation: Conversation, employee: Employee, kind: str, text: str, at: datetime) -> None:
    gateway.note(
        actor=employee, conversation=conversation, kind=kind, text=text, occurred_at=at, details={"minutes": 9}
    )

"""Conversations from ``talks.toml``, through the plugin's gateway as if both sides had written them at those times."""

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


def bring_in_talks() -> int:
    """All conversations that are not there yet, inspected; returns the number of messages added.

    A talk that was cut off is continued where it stopped.
    """
    with inline():
        return sum(_bring_in(talk) for talk in read("talks.toml")["talks"])


def _bring_in(talk: dict[str, Any]) -> int:
    guest = Guest.objects.get(code=talk["guest"])
    customer = customer_for(guest)
    conversation = Conversation.objects.filter(customer=customer, subject=talk["subject"]).first()
    conversation = conversation or conversation_open(
        customer=customer, channel=talk["channel"], subject=talk["subject"]
    )
    employee = conversation.employee
    if employee is None:
        raise LookupError(f"nobody looks after {guest}")
    there = conversation.messages.count()
    at = _start(employee, talk)
    for number, (who, minutes, text) in enumerate(talk["lines"]):
        at += timedelta(minutes=minutes)
        if number < there:
            continue
        if who == "guest":
            _guest_writes(conversation, guest, text, at, event_id=f"demo-{talk['guest']}-{number}")
        elif who == "staff":
            _employee_writes(conversation, employee, text, at)
        else:
            _employee_notes(conversation, employee, who, text, at)
    return max(0, len(talk["lines"]) - there)


def _start(employee: Employee, talk: dict[str, Any]) -> datetime:
    """The first message's time: so many of the employee's working days ago. Short days don't count: an afternoon's
    talk would be one after hours."""
    day = timezone.now().astimezone(hours.zone(employee)).date()
    left = int(talk["day"])
    minutes = [sum(span.end - span.start for span in spans) for spans in hours.week_of(employee)]
    while left:
        day -= timedelta(days=1)
        left -= minutes[day.weekday()] == max(minutes) and not hours.is_holiday(day)
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

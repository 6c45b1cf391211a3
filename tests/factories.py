"""Rows that most tests need, made through the app's own services."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.addresses import normalise
from crm_contact_guard.directory.mirror import customer_for, employee_for
from crm_contact_guard.directory.mirror_people import mirror_teams
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.policy.rulebook import from_settings
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from tests.host.models import Branch, Client, User


def user(name: str, *, job: str = "clerk", branch: Branch | None = None, **fields: object) -> User:
    """A host user who logs in as ``name@kaede.example`` with password "demo"."""
    return User.objects.create_user(
        f"{name}@kaede.example", "demo", display_name=name.title(), job=job, branch=branch, **fields
    )


def employee(name: str, *, job: str = "clerk", branch: Branch | None = None, **fields: object) -> Employee:
    """The mirrored employee of a new host user."""
    found = employee_for(user(name, job=job, branch=branch, **fields))
    assert found is not None
    return found


def team(name: str = "Front desk", *, head: str = "", deputy: str = "") -> Branch:
    """A host team with a new supervisor and deputy by these names."""
    branch = Branch.objects.create(title=name)
    if head:
        branch.head = user(head, job="chief", branch=branch)
    if deputy:
        branch.deputy_head = user(deputy, job="chief", branch=branch)
    branch.save()
    mirror_teams()
    return branch


def customer(name: str = "Hanako Sato", *, manager: Employee | None = None, email: str = "") -> Customer:
    """The mirrored customer of a new host client."""
    client = Client.objects.create(
        full_name=name, emails=email, manager=manager.user if manager else None, language="en", zone="Asia/Tokyo"
    )
    return customer_for(client)


def conversation(
    owner: Employee | None = None, *, channel: str = "chat", email: str = "", name: str = "Hanako Sato"
) -> Conversation:
    """An open conversation of a new customer with ``owner``."""
    return conversation_open(customer=customer(name, manager=owner, email=email), channel=channel)


def reachable(kind: str, address: str) -> Conversation:
    """A conversation of Aoi with a new customer who has this address."""
    talk = conversation(employee("aoi"))
    talk.customer.addresses.create(kind=kind, value=address, normalised=normalise(kind, address))
    with database.atomic():
        changes.customers_changed([talk.customer_id])
    return talk


def recorded(
    talk: Conversation, text: str, *, direction: str = "inbound", channel: str = "chat", **more: Any
) -> Message:
    """A row of the record, without what the gateway does beside it. ``more``: other arguments of ``record_message``."""
    return record_message(
        conversation=talk, text=text, direction=direction, channel=channel, **{"occurred_at": office_time(), **more}
    )


def received(text: str, talk: Conversation | None = None, *, channel: str = "chat", **more: Any) -> Message:
    """A customer's message in this conversation. ``more``: other fields of ``InboundMessage``."""
    tokens = (talk.reply_token,) if talk is not None else ()
    given = {"event_id": uuid4().hex, "from_address": "", "occurred_at": office_time(), "reply_tokens": tokens, **more}
    message = gateway.receive(InboundMessage(channel=channel, text=text, **given)).message
    assert message is not None
    return message


def opening(channel: str, address: str) -> None:
    """The customer writes first, as some carriers require."""
    received("Good morning", channel=channel, from_address=address, occurred_at=timezone.now())


def sent(talk: Conversation, text: str, channel: str, **more: Any) -> Message:
    """A message of the conversation's employee in the outbox, due now."""
    assert talk.employee is not None
    given = {"actor": talk.employee, "conversation": talk, "text": text, "channel": channel}
    message = gateway.send(occurred_at=office_time(), **given, **more).message
    assert message is not None
    return message


def held(talk: Conversation) -> Message:
    """A message of the conversation's employee that a supervisor decides on."""
    assert talk.employee is not None
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "RULES": {"attempt": "hold"}}):
        words = "個人のLINEは aoi_private です。こちらにどうぞ"
        message = gateway.send(actor=talk.employee, conversation=talk, text=words).message
    assert message is not None
    return message


def rule_trial(author: Employee) -> RuleTrial:
    """A trial of the settings' rules that runs, and that no worker has begun."""
    rules, now = from_settings(), timezone.now()
    return RuleTrial.objects.create(
        tenant=author.tenant, digest=rules.digest, text=rules.text, since=now, until=now, author=author, created_at=now
    )


def add_channels(configured: Any, channels: dict[str, Any], **more: Any) -> None:
    """Configure further channels: alias → entry of ``CHANNELS``. ``more``: other keys of ``CONTACT_GUARD``."""
    known = configured.CONTACT_GUARD
    configured.CONTACT_GUARD = {**known, "CHANNELS": {**known["CHANNELS"], **channels}, **more}


def office_time() -> datetime:
    """A moment in everybody's working hours: a Tuesday, 10:00 in Tokyo."""
    return timezone.datetime.fromisoformat("2026-11-24T10:00:00+09:00")

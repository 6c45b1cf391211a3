"""Opening, finding and moving conversations, and what a new message does to them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression
from django.utils import timezone

from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.ledger.models import Conversation, Direction, Message

#: 20 letters of 32 symbols: 100 random bits, lower case since some mail systems fold the local part.
_TOKEN_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_TOKEN_LENGTH = 20
_OWN_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")


def new_reply_token() -> str:
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(_TOKEN_LENGTH))


def conversation_open(
    *, customer: Customer, channel: str, employee: Employee | None = None, team: Team | None = None, subject: str = ""
) -> Conversation:
    """Start a conversation; employee and team default to the customer's owner and that owner's team."""
    employee = employee or customer.owner
    if team is None:
        team = (employee.teams.first() if employee is not None else None) or customer.team
    return Conversation.objects.create(
        tenant=customer.tenant,
        customer=customer,
        employee=employee,
        team=team,
        subject=subject[:255],
        channel=channel,
        reply_token=new_reply_token(),
        created_at=timezone.now(),
    )


def by_reply_token(tokens: Iterable[str]) -> Conversation | None:
    """The conversation one of our own tokens belongs to."""
    wanted = [token.lower() for token in tokens]
    return Conversation.objects.filter(reply_token__in=wanted).first() if wanted else None


def by_references(references: Iterable[str]) -> Conversation | None:
    """The conversation of the newest of the referenced messages: carrier ids of either direction, or our own id, with
    which the Message-ID of each mail of ours begins, whatever the mail service that sent it calls it."""
    wanted = [reference[:255] for reference in references]
    if not wanted:
        return None
    own = [match[1] for reference in wanted if (match := _OWN_ID.match(reference))]
    messages = Message.objects.filter(
        Q(carrier_id__in=wanted) | Q(delivery__carrier_id__in=wanted) | Q(pk__in=own, direction=Direction.OUTBOUND)
    )
    found = messages.select_related("conversation").order_by("-occurred_at").first()
    return found.conversation if found is not None else None


def latest_open(customer: Customer) -> Conversation | None:
    """The customer's open conversation with the latest message."""
    return (
        Conversation.objects.filter(customer=customer, state=Conversation.State.OPEN)
        .select_related("customer", "employee")
        .order_by(F("last_message_at").desc(nulls_last=True))
        .first()
    )


def note_message(conversation: Conversation, message: Message) -> None:
    """Bring the conversation's working state up to a newly recorded message. Takes no part in the record."""
    changes: dict[str, object] = {"last_message_at": _later(conversation.last_message_at, message.occurred_at)}
    if message.direction == Direction.INBOUND:
        changes |= {"unread": F("unread") + 1, "state": Conversation.State.OPEN, "channel": message.channel}
        if conversation.waiting_since is None:
            changes["waiting_since"] = message.occurred_at
    elif message.direction == Direction.OUTBOUND:
        changes |= {"waiting_since": None, "unread": 0, "channel": message.channel}
    Conversation.objects.filter(pk=conversation.pk).update(**changes)
    # The object at hand follows without another query; the row counts what others count at the same time.
    for name, value in changes.items():
        setattr(conversation, name, conversation.unread + 1 if isinstance(value, CombinedExpression) else value)


def note_missed_call(conversation: Conversation, at: datetime) -> None:
    """Somebody called in vain and waits for an answer like one who wrote."""
    rows = Conversation.objects.filter(pk=conversation.pk)
    rows.update(unread=F("unread") + 1, state=Conversation.State.OPEN)
    rows.filter(waiting_since=None).update(waiting_since=at)
    conversation.refresh_from_db()


def mark_read(conversation: Conversation) -> None:
    """The answering employee has seen what came in."""
    Conversation.objects.filter(pk=conversation.pk, unread__gt=0).update(unread=0)


def _later(known: datetime | None, new: datetime) -> datetime:
    return new if known is None or new > known else known

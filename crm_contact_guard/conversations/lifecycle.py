"""Open and find conversations, and update them after a new message."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.directory.rights import may_start
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import AUTO, Conversation, Direction, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.record.statements import execute

#: 20 characters from 32 symbols give 100 random bits. All letters are lower case, because some mail systems change the
#: case of an address's local part.
_TOKEN_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_TOKEN_LENGTH = 20
_TABLE = Conversation._meta.db_table
_AT = Conversation._meta.get_field("last_message_at")
#: Number of references of an email that are looked up, counted from the newest, which is last. Longer lists are likely
#: to be abuse.
_MOST_REFERENCES = 100
_OWN_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")


def new_reply_token() -> str:
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(_TOKEN_LENGTH))


@database.atomic()
def conversation_open(
    *,
    customer: Customer,
    channel: str,
    employee: Employee | None = None,
    team: Team | None = None,
    subject: str = "",
    state: str = Conversation.State.OPEN,
) -> Conversation:
    """Start a conversation without checking permissions, for inbound messages and for the host's own code.

    The employee defaults to the customer's owner, and the team to that employee's first team or else to the customer's.
    """
    employee = employee or customer.owner
    if team is None:
        team = (employee.teams.first() if employee is not None else None) or customer.team
    conversation = Conversation.objects.create(
        tenant=customer.tenant,
        customer=customer,
        employee=employee,
        team=team,
        subject=canonical_text(subject)[:255],
        channel=channel,
        state=state,
        reply_token=new_reply_token(),
        created_at=timezone.now(),
    )
    _record(conversation, "conversation.opened")
    return conversation


def _record(conversation: Conversation, kind: str, actor: Employee | None = None, **more: Any) -> None:
    record_event(
        kind=kind,
        subject_type="conversation",
        subject_id=conversation.pk,
        by=actor,
        conversation=conversation,
        row=conversation,
        **more,
    )


def conversation_start(*, actor: Employee, customer: Customer, channel: str) -> Conversation:
    """Start a conversation that is assigned to ``actor``.

    Raise NotPermitted if the employee may not start it, or if the customer waits for a colleague's answer.
    """
    if not may_start(actor, customer):
        raise NotPermitted(_("Another colleague looks after this customer."))
    waiting = Conversation.objects.filter(customer=customer, employee__isnull=False, waiting_since__isnull=False)
    other = waiting.exclude(employee=actor).select_related("employee").first()
    if other is not None and other.employee is not None:
        words = _("This customer waits for an answer from %(name)s. Ask %(name)s to hand the conversation over.")
        raise NotPermitted(words % {"name": other.employee.name})
    return conversation_open(customer=customer, channel=channel, employee=actor)


def by_reply_token(tokens: Iterable[str]) -> Conversation | None:
    """Return the conversation that one of these reply tokens belongs to, if any."""
    wanted = [token.lower() for token in tokens]
    rows = Conversation.objects.select_related("customer", "employee").filter(reply_token__in=wanted)
    return rows.first() if wanted else None


def by_references(references: Iterable[str]) -> Conversation | None:
    """Return the conversation of the newest referenced message, if any.

    References are carrier IDs of inbound or outbound messages, or Message-IDs of emails that we sent. The latter begin
    with our own message ID, so they match even if the mail service assigned another carrier ID.
    """
    wanted = [reference[:255] for reference in references if reference][-_MOST_REFERENCES:]
    if not wanted:
        return None
    newest = referenced(wanted).first()
    if newest is None:
        return None
    return Conversation.objects.select_related("customer", "employee").filter(pk=newest[0]).first()


def referenced(wanted: Sequence[str]) -> QuerySet[Message, tuple[UUID, datetime]]:
    """Return the conversation and time of each message with one of these IDs, newest first.

    The query is a UNION, because databases answer an OR across two tables by reading one of them completely.
    """
    own = [match[1] for reference in wanted if (match := _OWN_ID.match(reference))]
    rows = Message.objects.order_by().values_list("conversation_id", "occurred_at")
    by_id = rows.filter(carrier_id__in=wanted), rows.filter(delivery__carrier_id__in=wanted)
    return by_id[0].union(by_id[1], rows.filter(pk__in=own, direction=Direction.OUTBOUND)).order_by("-occurred_at")


def latest_open(customer: Customer) -> Conversation | None:
    """Return the customer's open conversation that has the latest message, if any."""
    return (
        Conversation.objects.filter(customer=customer, state=Conversation.State.OPEN)
        .select_related("customer", "employee")
        .order_by(F("last_message_at").desc(nulls_last=True))
        .first()
    )


def note_message(conversation: Conversation, message: Message, *, waits: bool = False) -> None:
    """Update the conversation's working state after a newly recorded message. This is not part of the record.

    After an automatic answer, the customer still waits. A message that ``waits`` answers nobody until it is released
    (``note_released``).

    A single UPDATE is used, because it is cheap and safe against concurrent updates.
    """
    connection = database.connection()
    at = _AT.get_db_prep_save(message.occurred_at, connection)
    changes = "last_message_at = CASE WHEN last_message_at > %s THEN last_message_at ELSE %s END"
    values = [at, at]
    if message.direction == Direction.INBOUND:
        changes += ", unread = unread + 1, waiting_since = COALESCE(waiting_since, %s), state = %s, channel = %s"
        values += [at, Conversation.State.OPEN.value, message.channel]
    elif message.direction == Direction.OUTBOUND and message.source != AUTO and not waits:
        changes += ", unread = 0, waiting_since = NULL, channel = %s"
        values += [message.channel]
    key = Conversation._meta.pk.get_db_prep_value(conversation.pk, connection)
    execute(connection.alias, f"UPDATE {_TABLE} SET {changes} WHERE id = %s", [*values, key])
    _follow(conversation, message, waits=waits)


def note_released(message: Message) -> None:
    """Update the conversation now that a message that waited goes out.

    It answers what the customer wrote before it was written. If the customer wrote again, that message still waits.
    """
    rows = Conversation.objects.filter(pk=message.conversation_id)
    rows.update(channel=message.channel)
    since = Message.objects.filter(
        conversation_id=message.conversation_id, direction=Direction.INBOUND, recorded_at__gt=message.recorded_at
    )
    first = since.order_by("occurred_at", "id").values_list("occurred_at", flat=True).first()
    answered = rows.filter(waiting_since__lte=message.recorded_at)
    if first is None:
        answered.update(waiting_since=None, unread=0)
    else:
        answered.update(waiting_since=first)


def _follow(conversation: Conversation, message: Message, *, waits: bool) -> None:
    """Apply the changes made to the row to the instance as well, without another query."""
    conversation.last_message_at = _later(conversation.last_message_at, message.occurred_at)
    if message.direction == Direction.INBOUND:
        conversation.unread += 1
        conversation.waiting_since = conversation.waiting_since or message.occurred_at
        conversation.state = Conversation.State.OPEN
    elif message.direction == Direction.OUTBOUND and message.source != AUTO and not waits:
        conversation.unread, conversation.waiting_since = 0, None
    if message.direction != Direction.NOTE and message.source != AUTO and not waits:
        conversation.channel = message.channel


def note_missed_call(conversation: Conversation, at: datetime) -> None:
    """Update the conversation after a missed call. As after a message, the customer is now waiting for an answer."""
    rows = Conversation.objects.filter(pk=conversation.pk)
    rows.update(unread=F("unread") + 1, state=Conversation.State.OPEN)
    rows.filter(waiting_since=None).update(waiting_since=at)
    conversation.refresh_from_db()


def take_over(conversation: Conversation, employee: Employee) -> None:
    """Assign an unassigned conversation to the employee who answers in it."""
    if conversation.employee_id is None:
        conversation.employee = employee
        conversation.save(update_fields=["employee"])
        _record(conversation, "conversation.taken_over", employee)


def reassigned(
    conversation: Conversation, by: Employee, *, employee: Employee | None, team: Team | None, reason: str
) -> Conversation:
    """Give a locked conversation to another employee or team, and record it. The customer's owner stays."""
    before, owner = conversation.employee_id, conversation.customer.owner_id
    conversation.employee, conversation.team = employee, team
    conversation.save(update_fields=["employee", "team"])
    data = {"from": str(before) if before else None, "owner": str(owner) if owner else None}
    _record(conversation, "conversation.reassigned", by, data=data, reason=reason or None)
    return conversation


def mark_read(conversation: Conversation) -> bool:
    """Reset the unread count, because the answering employee has seen the messages. Return whether some were unread."""
    return Conversation.objects.filter(pk=conversation.pk, unread__gt=0).update(unread=0) > 0


def _later(current: datetime | None, new: datetime) -> datetime:
    return new if current is None or new > current else current

"""The only two functions that insert recorded rows.

Each row gets a fresh salt, a digest of every personal field and a leaf hash over the row, computed by the same
``proof`` code that verifies it. Call the functions inside the transaction of the state change that they record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.proof import canonical
from crm_contact_guard.record import following
from crm_contact_guard.record.inserting import insert
from crm_contact_guard.record.models import Conversation, Event, Message, MessageKind


def _stored(text: str | None) -> str | None:
    """Make text storable in every database. Original bytes of email and webhooks are kept in the message's files."""
    return None if text is None else canonical.canonical_text(text)


def _one_line(text: str, length: int) -> str:
    """Remove control characters from a carrier's ID and cut it to ``length``. A line feed would break the leaf."""
    return "".join(character for character in canonical.canonical_text(text) if character.isprintable())[:length]


def record_message(
    *,
    conversation: Conversation,
    direction: str,
    channel: str,
    occurred_at: datetime,
    text: str,
    employee_id: UUID | None = None,
    kind: str = MessageKind.MESSAGE,
    subject: str | None = None,
    quoted: str | None = None,
    from_name: str | None = None,
    from_address: str | None = None,
    to_name: str | None = None,
    to_address: str | None = None,
    details: Mapping[str, Any] | None = None,
    files: list[dict[str, Any]] | None = None,
    carrier_id: str = "",
    reply_to_id: UUID | None = None,
    source: str = "live",
    message_id: UUID | None = None,
) -> Message:
    """Insert one message row. ``occurred_at`` must be aware; it is stored to the microsecond."""
    message = Message(
        id=message_id or uuid7(),
        tenant=conversation.tenant,
        conversation=conversation,
        customer_id=conversation.customer_id,
        employee_id=employee_id,
        direction=direction,
        channel=channel,
        kind=kind,
        occurred_at=occurred_at,
        recorded_at=timezone.now(),
        carrier_id=_one_line(carrier_id, 255),
        reply_to_id=reply_to_id,
        source=source,
        subject=_stored(subject),
        text=_stored(text),
        quoted=_stored(quoted),
        from_name=_stored(from_name),
        from_address=_stored(from_address),
        to_name=_stored(to_name),
        to_address=_stored(to_address),
        details=canonical.canonical_json(details) if details else None,
        files=canonical.canonical_json(files) if files else None,
        salt=canonical.new_salt(canonical.MESSAGE_PERSONAL),
        format=canonical.FORMAT,
    )
    _hash_row(message, "message", canonical.MESSAGE_PERSONAL, message_open_values(message))
    insert(message)
    return message


def record_event(
    *,
    kind: str,
    subject_type: str,
    subject_id: str | UUID,
    by: Employee | None = None,
    actor_type: str = "",
    actor: str | UUID = "",
    conversation: Conversation | None = None,
    message: Message | None = None,
    tenant: str = "",
    occurred_at: datetime | None = None,
    data: Mapping[str, Any] | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
    row: Model | None = None,
) -> Event:
    """Insert one event row. ``reason`` and ``details`` may hold personal data and can be erased; ``data`` must not.

    ``by``: the employee who did it; None if the system did. ``actor_type`` and ``actor`` name anybody else.

    ``row``: the changed row of working state, as it is after the change. The event contains the columns that
    ``record.following`` declares as recorded, and verification compares them.
    """
    now = timezone.now()
    if row is not None:
        data = {**(data or {}), following.ROW: following.open_state(row)}
        personal = following.personal_state(row)
        details = {**(details or {}), following.ROW: personal} if personal else details
    if message is not None and conversation is None:
        conversation = message.conversation
    event = Event(
        id=uuid7(),
        tenant=conversation.tenant if conversation is not None else tenant,
        kind=kind,
        subject_type=subject_type,
        subject_id=str(subject_id),
        conversation=conversation,
        message=message,
        actor_type=actor_type or (Event.ActorType.EMPLOYEE if by is not None else Event.ActorType.SYSTEM),
        actor=str(by.pk if by is not None else actor),
        occurred_at=occurred_at or now,
        recorded_at=now,
        data=canonical.canonical_json(data or {}),
        reason=_stored(reason),
        details=canonical.canonical_json(details) if details else None,
        salt=canonical.new_salt(canonical.EVENT_PERSONAL),
        format=canonical.FORMAT,
    )
    _hash_row(event, "event", canonical.EVENT_PERSONAL, event_open_values(event))
    insert(event)
    return event


def message_open_values(message: Message) -> dict[str, str | None]:
    """Return the open (not personal) values of a message, as they appear in its leaf."""
    return {
        "id": str(message.id),
        "tenant": message.tenant,
        "conversation": str(message.conversation_id),
        "customer": str(message.customer_id),
        "employee": _text(message.employee_id),
        "direction": message.direction,
        "channel": message.channel,
        "kind": message.kind,
        "occurred_at": canonical.canonical_time(message.occurred_at),
        "recorded_at": canonical.canonical_time(message.recorded_at),
        "carrier_id": message.carrier_id,
        "reply_to": _text(message.reply_to_id),
        "source": message.source,
    }


def event_open_values(event: Event) -> dict[str, str | None]:
    """Return the open (not personal) values of an event, as they appear in its leaf."""
    return {
        "id": str(event.id),
        "tenant": event.tenant,
        "kind": event.kind,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "conversation": _text(event.conversation_id),
        "message": _text(event.message_id),
        "actor_type": event.actor_type,
        "actor": event.actor,
        "occurred_at": canonical.canonical_time(event.occurred_at),
        "recorded_at": canonical.canonical_time(event.recorded_at),
        "data": event.data,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _hash_row(row: Message | Event, kind: Any, names: tuple[str, ...], open_values: Mapping[str, str | None]) -> None:
    salt = bytes(row.salt or b"")
    row.digests = canonical.personal_digests(names, salt, {name: getattr(row, name) for name in names})
    row.leaf_hash = canonical.leaf_hash(canonical.leaf_bytes(kind, open_values, bytes(row.digests)))

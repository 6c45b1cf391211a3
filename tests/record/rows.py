"""A small record for tests: a conversation with messages and events, sealed in several runs."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crm_contact_guard.conversations.lifecycle import note_message
from crm_contact_guard.record.models import Conversation, Event, Message, Pending
from crm_contact_guard.record.recording import record_event, record_message
from crm_contact_guard.sealing.sealer import seal
from tests import factories


def talk() -> Conversation:
    """A new conversation."""
    return factories.conversation(factories.employee("aoi"))


def message(conversation: Conversation, text: str = "Good evening", **fields: object) -> Message:
    """One recorded message with most personal fields set."""
    values: dict[str, object] = {
        "subject": "Your stay",
        "from_name": "Hanako Sato",
        "from_address": "hanako@example.com",
        "to_name": "Aoi",
        "details": {"client": "web"},
        **fields,
    }
    recorded = record_message(
        conversation=conversation,
        direction="inbound",
        channel="chat",
        occurred_at=timezone.now() - timedelta(minutes=1),
        text=text,
        **values,  # type: ignore[arg-type]
    )
    note_message(conversation, recorded)
    return recorded


def event(about: Message, kind: str = "delivery.sent", **fields: object) -> Event:
    """One recorded event about a message."""
    return record_event(
        kind=kind,
        subject_type="message",
        subject_id=about.pk,
        actor_type="system",
        message=about,
        **fields,  # type: ignore[arg-type]
    )


def sealed_record(conversation: Conversation, runs: int = 3, each: int = 4) -> list[Message]:
    """``runs`` seals of twice ``each`` rows: messages with one event each, in the first also those of the conversation.

    Nothing is pending afterwards.
    """
    messages: list[Message] = []
    for run in range(runs):
        while (pending := Pending.objects.count()) < 2 * each:
            if pending % 2:
                record_event(kind="rules.read", subject_type="rules", subject_id="", actor_type="system")
                continue
            messages.append(message(conversation, f"Message {run}.{len(messages)} こんばんは"))
            event(messages[-1], reason=f"because of {len(messages)}")
        seal()
    return messages

"""Record what was said on the phone or in person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.files import storage
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import limits
from crm_contact_guard.record.models import Conversation, Message, MessageKind
from crm_contact_guard.record.recording import record_message


def note(
    *,
    actor: Employee,
    conversation: Conversation,
    kind: str,
    text: str,
    occurred_at: datetime,
    details: Mapping[str, Any] | None = None,
    attachments: Sequence[FileIn] = (),
) -> Message:
    """Record a note on a phone call or meeting.

    ``details`` can contain the duration in minutes, the place, the people and the agreed next step.

    Raise NotPermitted, or InvalidMessage if the text is empty or too long, the kind is unknown, or the time is in the
    future.
    """
    if not permissions.may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    if kind not in (MessageKind.CALL, MessageKind.MEETING):
        raise InvalidMessage(_("Choose call or meeting."), field="kind")
    if occurred_at > timezone.now():
        raise InvalidMessage(
            _("A note is about something that has happened: this time is in the future."), field="occurred_at"
        )
    limits.check_text(text, None)
    with storage.storing(attachments) as stored, database.atomic():
        message = record_message(
            conversation=conversation,
            direction=Direction.NOTE.value,
            channel="note",
            kind=kind,
            occurred_at=occurred_at,
            text=text,
            employee_id=actor.pk,
            from_name=actor.name,
            to_name=conversation.customer.name,
            details=details,
            files=storage.listing(stored),
        )
        storage.attach(message, stored)
        lifecycle.note_message(conversation, message)
        later("inspect", str(message.pk))
    return message

"""Tells the person who decides about held messages, and about messages that were sent as an emergency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard import crm
from crm_contact_guard.conversations.rights import conversations
from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import listing, topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.record.models import Message
from crm_contact_guard.sending.rights import holds
from crm_contact_guard.supervision.routing import addressee

HELD: Final = "held_message"
EMERGENCY: Final = "emergency_sent"
#: Types of the subjects of ``HELD``: that a message is held, and that its time will soon be over.
_WAITS: Final = "hold"
_ENDS: Final = "hold_end"


def held_tell(message: Message) -> None:
    """Tell the person who decides that a message is held. Call this in the transaction that holds it."""
    _tell(HELD, _WAITS, message)


def emergency_tell(message: Message) -> None:
    """Tell the supervisor at once about an emergency. Call this in the transaction that records the message."""
    _tell(EMERGENCY, EMERGENCY, message)


def decided(message_id: UUID) -> None:
    """Mark the notices as read of a message that is no longer held. Call this in the transaction that ends the hold."""
    listing.settled(_WAITS, message_id)
    listing.settled(_ENDS, message_id)


def holds_remind(limit: int = 200) -> int:
    """Remind those who decide, once for each held message, when half of the time has passed. Return how many."""
    now = timezone.now()
    rows = Wait.objects.filter(state=Wait.State.HELD, reminded_at=None, due_at__gt=now).order_by("due_at")
    held = rows.values_list("message_id", "message__recorded_at", "due_at")[:limit]
    due = [key for key, since, until in held if until is not None and now - since >= until - now]
    return sum(_remind(key, now) for key in due)


@database.atomic()
def _remind(message_id: UUID, now: datetime) -> bool:
    wait = waits.wait_of(message_id)
    if wait is None or not waits.remind(wait, now):
        return False
    listing.settled(_WAITS, message_id)  # Nobody needs to read both.
    with crm.tenant(wait.message.tenant):
        _tell(HELD, _ENDS, wait.message)
    return True


def _tell(topic: str, subject_type: str, message: Message) -> None:
    person = addressee(message.conversation)
    people = [person] if person is not None and person.pk != message.employee_id else []
    conversation = message.conversation
    tell(
        topic=topic,
        subject=(subject_type, message.pk),
        people=people,
        conversation=conversation,
        team=conversation.team,
    )


def _held(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    rows = holds(person) if person is not None else Wait.objects.filter(state=Wait.State.HELD)
    found = rows.filter(message_id__in=ids).select_related("message__employee", "message__conversation__customer")
    return {str(wait.message_id): _held_line(wait) for wait in found}


def _held_line(wait: Wait) -> Line:
    ends_soon = wait.reminded_at is not None
    says = _("A message by %(name)s waits for you")
    if ends_soon:
        says = _("Please decide soon about a message by %(name)s")
    details = [(_("Customer:"), wait.message.conversation.customer.name)]
    if wait.due_at is not None:
        until = date_format(timezone.localtime(wait.due_at), "SHORT_DATETIME_FORMAT")
        details.append((_("Decide by:"), until))
    return Line(
        text=says % {"name": _writer(wait.message)},
        path=reverse("crm_contact_guard:holds"),
        since=wait.message.recorded_at,
        details=details,
    )


def _emergencies(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    found: QuerySet[Message] = Message.objects.filter(pk__in=ids)
    if person is not None:
        found = found.filter(conversation__in=conversations(person).values("pk"))
    return {
        str(message.pk): Line(
            text=_("%(name)s sent a message as an emergency") % {"name": _writer(message)},
            path=reverse("crm_contact_guard:conversation", args=[message.conversation_id]),
            since=message.recorded_at,
            details=[(_("Customer:"), message.conversation.customer.name)],
        )
        for message in found.select_related("employee", "conversation__customer")
    }


def _writer(message: Message) -> str:
    return message.employee.name if message.employee is not None else ""


_topic = partial(topics.Topic, is_duty=True, cadence=Cadence.AT_ONCE, urgent=True, roles=topics.STAFF)
topics.register(
    # Urgent, because a held message ends undecided when its time is over.
    _topic(name=HELD, label=gettext_lazy("A held message"), many=gettext_lazy("Held messages"), lines=_held),
    _topic(
        name=EMERGENCY,
        label=gettext_lazy("A message sent as an emergency"),
        many=gettext_lazy("Messages sent as an emergency"),
        lines=_emergencies,
    ),
)

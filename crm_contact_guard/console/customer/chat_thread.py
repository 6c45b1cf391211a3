"""The messages that the customer's chat page shows, and their delivery to that page."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm_contact_guard.channels.base import DeliveryStatus
from crm_contact_guard.console.conversation.line import Line, lines
from crm_contact_guard.conversations import typing_marks
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.delivery import outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Direction, Message

#: Number of messages on the page. Only the newest are shown, since people read a chat from its end.
SHOWN = 100
_HANDED_OVER = (Delivery.State.SENT, Delivery.State.DELIVERED, Delivery.State.READ)


def shown_messages(conversation: Conversation, alias: str) -> QuerySet[Message]:
    """Return the web chat's inbound messages and its outbound messages that have been sent.

    Messages on other channels, such as email or phone, are left out, since the link only gives access to the chat.
    """
    handed = Q(direction=Direction.OUTBOUND, delivery__state__in=_HANDED_OVER)
    rows: QuerySet[Message] = Message.objects.filter(conversation=conversation, channel=alias)
    return rows.filter(Q(direction=Direction.INBOUND) | handed)


def chat_lines(conversation: Conversation, alias: str) -> list[Line]:
    """Return the newest messages, oldest first. No evidence is marked, since findings are only for supervisors."""
    rows = shown_messages(conversation, alias).select_related("employee", "delivery", "wait")
    # To the customer, a message that waited was written when it went out.
    newest = rows.annotate(said_at=Coalesce("wait__ended_at", "occurred_at")).order_by("-said_at", "-id")
    return lines(list(newest[:SHOWN])[::-1], [], said_at=lambda message: message.said_at)


def chat_version(link: ChatLink, alias: str) -> str:
    """Return a version string that changes whenever the contents of the page change."""
    rows = shown_messages(link.conversation, alias)
    state = rows.aggregate(newest=Max("recorded_at"), moved=Max("delivery__updated_at"))
    newest, moved = state["newest"], state["moved"]
    marks = f"{int(link.conversation.unread == 0)}{int(typing_marks.employee_is_typing(link))}"
    return f"{newest.timestamp() if newest else 0}.{moved.timestamp() if moved else 0}.{marks}"


def last_read(conversation: Conversation, shown: Sequence[Line]) -> Message | None:
    """Return the customer's newest message if the employee has read all inbound messages, else None."""
    if conversation.unread:
        return None
    return next((line.message for line in reversed(shown) if line.message.direction == Direction.INBOUND), None)


def hand_out(conversation: Conversation, alias: str) -> None:
    """Mark outbound messages as read, now that the customer's page shows them.

    The number of updated rows ensures that each message is reported only once, even by concurrent requests.
    """
    waiting = shown_messages(conversation, alias).filter(
        direction=Direction.OUTBOUND, delivery__state__in=(Delivery.State.SENT, Delivery.State.DELIVERED)
    )
    for message in waiting.select_related("conversation"):
        now = timezone.now()
        with database.atomic():
            taken = Delivery.objects.filter(
                message_id=message.pk, state__in=(Delivery.State.SENT, Delivery.State.DELIVERED)
            ).update(state=Delivery.State.READ, updated_at=now)
            if taken:
                outbox.carrier_said(message, DeliveryStatus.READ, occurred_at=now)

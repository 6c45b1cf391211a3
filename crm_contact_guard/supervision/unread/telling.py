"""One notice in the app for each conversation that becomes unread for its employee, not before the next opening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.conversations.rights import conversations
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import listing, outbox, topics
from crm_contact_guard.notices.models import IN_APP, Cadence, Notice
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.policy.disturbing import undisturbed_until
from crm_contact_guard.record.models import AUTO, Conversation, Direction, Message

UNREAD: Final = "unread_message"
_SUBJECT: Final = "unread"


@database.atomic()
def unread_tell(message: Message) -> None:
    """Tell the employee of the conversation that the customer wrote, unless a notice about it is unread already.

    In the employee's free time, the notice appears when the employee next works or is on call. A message to the
    customer settles it. Can safely run twice and concurrently. Raise ConfigurationError for an invalid calendar.
    """
    if message.source == AUTO or message.direction == Direction.NOTE:
        return
    # Without the employee: PostgreSQL locks no row of an outer join.
    conversation = Conversation.objects.select_for_update().get(pk=message.conversation_id)
    if not conversation.unread:
        unread_settle(conversation)
        return
    owner = conversation.employee
    if message.direction != Direction.INBOUND or message.source != "live" or owner is None:
        return
    if _open(conversation).filter(employee=owner).exists():
        return
    now = timezone.now()
    opens_at = undisturbed_until(owner, now)
    if opens_at is not None:
        subject = (_SUBJECT, message.pk)
        tell(topic=UNREAD, subject=subject, people=[owner], not_before=opens_at, conversation=conversation)


@database.atomic()
def unread_settle(conversation: Conversation) -> None:
    """Withdraw the notice about a conversation that isn't unread any more."""
    for notice in _open(conversation):
        if notice.state != Notice.State.QUEUED or not outbox.cancel(_SUBJECT, notice.subject_id):
            listing.settled(_SUBJECT, notice.subject_id)


def _open(conversation: Conversation) -> QuerySet[Notice]:
    return Notice.objects.filter(conversation=conversation, topic=UNREAD, way=IN_APP, read_at=None)


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    """Return the lines of conversations that are still unread and that the person may read."""
    rows = Message.objects.filter(pk__in=ids, conversation__unread__gt=0).select_related("conversation__customer")
    if person is not None:
        rows = rows.filter(conversation__in=conversations(person))
    return {
        str(message.pk): Line(
            text=_("%(customer)s has written to you") % {"customer": message.conversation.customer.name},
            path=reverse("crm_contact_guard:conversation", args=[message.conversation_id]),
            since=message.occurred_at,
        )
        for message in rows
    }


topics.register(
    topics.Topic(
        name=UNREAD,
        label=gettext_lazy("A message from a customer"),
        many=gettext_lazy("Messages from customers"),
        lines=_lines,
        cadence=Cadence.IN_APP,
        roles=topics.STAFF,
    )
)

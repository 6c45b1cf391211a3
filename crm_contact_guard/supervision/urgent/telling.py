"""Tells people at once about a message that its customer marked as urgent, once an hour per conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.conversations.rights import conversations
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.policy.closing.opening import on_call
from crm_contact_guard.policy.closing.urgent import Told, is_marked
from crm_contact_guard.policy.hours import is_working_time
from crm_contact_guard.record.models import Conversation, Direction, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.routing import addressee

EMERGENCY: Final = "emergency"
_EVENT: Final = "emergency.told"
#: An older message tells nobody, for example after an outage.
_FRESH: Final = timedelta(hours=12)
_PAUSE: Final = timedelta(hours=1)


@database.atomic()
def urgent_tell(message: Message) -> Told | None:
    """Tell people about a message if its customer marked it as urgent. Return who was told, also if it was earlier.

    These are the employee of the conversation if at work, else the team's members on call, else the supervisor. If none
    of those on call may read the conversation, the supervisor is told, too. Return None for other messages, and while
    the employee is at work. Can safely run twice and concurrently. Raise ConfigurationError for an invalid calendar.
    """
    if message.direction != Direction.INBOUND or message.source != "live" or not is_marked(message):
        return None
    conversation = Conversation.objects.select_for_update().get(pk=message.conversation_id)
    since = message.recorded_at - _PAUSE
    told = Event.objects.filter(kind=_EVENT, conversation=conversation, recorded_at__gt=since).order_by("pk").first()
    if told is not None:
        return _told(told)
    now = timezone.now()
    if message.recorded_at < now - _FRESH:
        return None
    people, ready = _people(conversation, now)
    tell(
        topic=EMERGENCY,
        subject=("message", message.pk),
        people=people,
        now=True,
        conversation=conversation,
        team=conversation.team,
    )
    return _told(
        record_event(
            kind=_EVENT,
            subject_type="message",
            subject_id=message.pk,
            actor_type=Event.ActorType.SYSTEM,
            message=message,
            data={"people": [str(person.pk) for person in people], **ready},
        )
    )


def _told(event: Event) -> Told | None:
    found = json.loads(event.data)
    return None if found["at_work"] else Told(at=event.recorded_at, on_call=found["on_call"])


def _people(conversation: Conversation, now: datetime) -> tuple[list[Employee], dict[str, bool]]:
    """Return whom to tell, and what the event keeps about them."""
    owner = conversation.employee
    ready = on_call(conversation, now)
    if owner is not None and owner.active and owner not in ready and is_working_time(owner, now):
        return [owner], {"at_work": True, "on_call": False}
    people = list(ready)
    if not any(conversations(person).filter(pk=conversation.pk).exists() for person in ready):
        people += [person for person in [addressee(conversation)] if person is not None]
    return people, {"at_work": False, "on_call": bool(ready)}


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    """Return the lines of messages whose customers still wait. Those who may not read a message get no names."""
    rows = Message.objects.filter(pk__in=ids, conversation__waiting_since__isnull=False)
    found = list(rows.select_related("conversation__customer", "conversation__employee"))
    keys = {message.conversation_id for message in found}
    shown = set(conversations(person).filter(pk__in=keys).values_list("pk", flat=True)) if person is not None else keys
    return {str(message.pk): _line(message, reads=message.conversation_id in shown) for message in found}


def _line(message: Message, *, reads: bool) -> Line:
    conversation = message.conversation
    if not reads:
        text = _(
            "A customer of a colleague in your team has marked a message as urgent. The supervisor can pass it on."
        )
        return Line(text=text, path=reverse("crm_contact_guard:inbox"), since=message.occurred_at)
    owner = conversation.employee
    return Line(
        text=_("%(customer)s has marked a message as urgent") % {"customer": conversation.customer.name},
        path=reverse("crm_contact_guard:conversation", args=[conversation.pk]),
        since=message.occurred_at,
        details=[
            (_("Employee:"), owner.name if owner is not None else _("nobody yet (team)")),
            (_("Customer:"), conversation.customer.name),
        ],
    )


topics.register(
    topics.Topic(
        name=EMERGENCY,
        label=gettext_lazy("A message that a customer marked as urgent"),
        many=gettext_lazy("Messages that customers marked as urgent"),
        lines=_lines,
        is_duty=True,
        cadence=Cadence.AT_ONCE,
        urgent=True,
        may_be_off=False,
        roles=topics.STAFF,
    )
)

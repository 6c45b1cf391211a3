"""Mark a conversation as done, or put it aside until a time. Both can be taken back, and both are recorded."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conversations.desk.standing import is_done, is_snoozed
from crm_contact_guard.conversations.desk.thanks import only_thanks
from crm_contact_guard.conversations.rights import may_write
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event

#: The longest time for which a conversation can be put aside.
LONGEST: Final = timedelta(days=366)
_DONE: Final = "conversation.done"
_SHELF: Final = ("done_at", "snoozed_at", "snoozed_until", "waiting_since", "unread")


@database.atomic()
def conversation_done(*, conversation: Conversation, actor: Employee) -> Conversation:
    """Mark the conversation as done: the customer needs no (further) answer. Repeating it has no effect.

    The next message from the customer returns it to the inbox. Raise NotPermitted.
    """
    row = _locked(conversation, actor)
    if is_done(row):
        return row
    before = {
        "waiting_since": row.waiting_since.isoformat() if row.waiting_since is not None else None,
        "unread": row.unread,
    }
    row.done_at, row.snoozed_at, row.snoozed_until = timezone.now(), None, None
    row.waiting_since, row.unread = None, 0
    return _kept(row, _DONE, actor, before=before)


@database.atomic()
def conversation_undone(*, conversation: Conversation, actor: Employee) -> Conversation:
    """Take back that the conversation is done: its customer waits as before. Repeating it has no effect.

    Raise NotPermitted.
    """
    row = _locked(conversation, actor)
    if row.done_at is None:
        return row
    row.unread = max(row.unread, _wait_again(row))
    return _kept(row, "conversation.undone", actor)


@database.atomic()
def conversation_snooze(*, conversation: Conversation, actor: Employee, until: datetime) -> Conversation:
    """Put the conversation aside until a time (aware). A message from the customer returns it earlier.

    One that only says thanks doesn't. If the conversation was done, its customer waits as before, since it comes back.
    Raise NotPermitted, or InvalidMessage for a time that has passed or is too far.
    """
    row = _locked(conversation, actor)
    now = timezone.now()
    if not now < until <= now + LONGEST:
        raise InvalidMessage(_("Choose a time between now and a year from now."), field="until")
    if row.done_at is not None:
        _wait_again(row)
    row.snoozed_at, row.snoozed_until = now, until
    return _kept(row, "conversation.snoozed", actor)


@database.atomic()
def conversation_wake(*, conversation: Conversation, actor: Employee) -> Conversation:
    """Take the conversation back into the inbox before its time. Repeating it has no effect. Raise NotPermitted."""
    row = _locked(conversation, actor)
    if row.snoozed_until is None:
        return row
    row.snoozed_at, row.snoozed_until = None, None
    return _kept(row, "conversation.woken", actor)


def note_thanks(conversation: Conversation, message: Message) -> None:
    """Keep the conversation aside if the customer's message only says thanks.

    Call this in the transaction that records the message.
    """
    if conversation.snoozed_until is None or conversation.snoozed_until <= timezone.now():
        return
    if not only_thanks(message.text or "") or message.files:
        return
    row = Conversation.objects.select_for_update().get(pk=conversation.pk)
    earlier = row.snoozed_at
    if row.snoozed_until is None or earlier is None:
        return
    others = Message.objects.filter(conversation=row, occurred_at__gt=earlier).exclude(pk=message.pk)
    if others.exists():
        return
    row.snoozed_at = max(earlier, message.occurred_at)
    _kept(row, "conversation.snoozed_again", None)


def _wait_again(row: Conversation) -> int:
    """Let the customer of a conversation that was done wait as before. Return how many messages were unread then."""
    events = Event.objects.filter(subject_type="conversation", subject_id=str(row.pk), kind=_DONE)
    last = events.order_by("-recorded_at", "-id").values_list("data", flat=True).first()
    before = json.loads(last or "{}").get("before", {}) if is_done(row) else {}
    if before.get("waiting_since") and row.waiting_since is None:
        row.waiting_since = datetime.fromisoformat(before["waiting_since"])
    row.done_at = None
    return int(before.get("unread") or 0)


def _locked(conversation: Conversation, actor: Employee) -> Conversation:
    if not may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    return Conversation.objects.select_for_update().get(pk=conversation.pk)


def _kept(row: Conversation, kind: str, actor: Employee | None, **data: Any) -> Conversation:
    row.save(update_fields=_SHELF)
    record_event(
        kind=kind,
        subject_type="conversation",
        subject_id=row.pk,
        by=actor,
        conversation=row,
        data=data,
        row=row,
    )
    return row


__all__ = [
    "conversation_done",
    "conversation_snooze",
    "conversation_undone",
    "conversation_wake",
    "is_done",
    "is_snoozed",
    "note_thanks",
]

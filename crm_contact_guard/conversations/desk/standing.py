"""Which conversations the inbox shows: those that are done, put aside, or quiet for long stand apart.

Nothing is changed when time passes or a message arrives: what is shown follows from the times in the row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q

from crm_contact_guard.record.models import Conversation

#: An answered conversation leaves the inbox by itself when nothing has been said for this long. Any message returns it.
QUIET: Final = timedelta(days=30)


def undone() -> Q:
    """Conversations that nobody has marked as done since their last message."""
    return Q(done_at__isnull=True) | Q(waiting_since__isnull=False) | Q(last_message_at__gt=F("done_at"))


def done() -> Q:
    """The opposite of ``undone``."""
    still = Q(last_message_at__isnull=True) | Q(last_message_at__lte=F("done_at"))
    return Q(done_at__isnull=False, waiting_since__isnull=True) & still


def snoozed(now: datetime) -> Q:
    """Conversations that are put aside. A message ends this, unless it only says thanks (``shelving``)."""
    still = Q(last_message_at__isnull=True) | Q(last_message_at__lte=F("snoozed_at"))
    return Q(snoozed_until__gt=now) & still


def awake(now: datetime) -> Q:
    """The opposite of ``snoozed``."""
    return Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now) | Q(last_message_at__gt=F("snoozed_at"))


def back(now: datetime) -> Q:
    """Conversations whose snooze has ended, and in which nothing was said since it began."""
    still = Q(last_message_at__isnull=True) | Q(last_message_at__lte=F("snoozed_at"))
    return Q(snoozed_until__lte=now) & still


def quiet(now: datetime) -> Q:
    """Return answered conversations that have had no message for a long time."""
    return Q(waiting_since__isnull=True, unread=0, last_message_at__lt=now - QUIET) & ~Q(snoozed_until__gt=now - QUIET)


def lively(now: datetime) -> Q:
    """The opposite of ``quiet``."""
    recent = Q(last_message_at__isnull=True) | Q(last_message_at__gte=now - QUIET)
    return Q(waiting_since__isnull=False) | Q(unread__gt=0) | recent | Q(snoozed_until__gt=now - QUIET)


def is_done(row: Conversation) -> bool:
    """Whether a conversation is done, as ``done`` has it."""
    if row.done_at is None or row.waiting_since is not None:
        return False
    return row.last_message_at is None or row.last_message_at <= row.done_at


def is_snoozed(row: Conversation, now: datetime) -> bool:
    """Whether a conversation is put aside, as ``snoozed`` has it."""
    if row.snoozed_until is None or row.snoozed_at is None or row.snoozed_until <= now:
        return False
    return row.last_message_at is None or row.last_message_at <= row.snoozed_at

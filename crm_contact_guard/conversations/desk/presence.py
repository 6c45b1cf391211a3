"""Who else looks at a conversation or types in it, among those who may answer. Valid for seconds, never recorded.

Only people who may answer appear, and only to each other: a supervisor who reads stays unseen here, and in the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.utils import IntegrityError
from django.utils import timezone

from crm_contact_guard.conversations.desk.models import Presence
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation

#: How long a look counts. Open pages poll every 2.5 seconds.
LASTS: Final = timedelta(seconds=12)
#: Minimum interval between two writes.
REST: Final = timedelta(seconds=4)


@dataclass(frozen=True)
class Other:
    """A colleague who has the conversation open."""

    name: str
    typing: bool


def looks(conversation: Conversation, viewer: Employee, *, typing: bool) -> None:
    """Note that the viewer, who may answer, has the conversation open."""
    now = timezone.now()
    rows = Presence.objects.filter(conversation=conversation, employee=viewer)
    known = rows.values_list("seen_at", "typing_at").first()
    if known is not None and known[0] > now - REST and (not typing or (known[1] and known[1] > now - REST)):
        return
    changes = {"seen_at": now, "typing_at": now if typing else (known[1] if known is not None else None)}
    if known is not None:
        rows.update(**changes)
        return
    try:
        with database.atomic():
            Presence.objects.create(conversation=conversation, employee=viewer, **changes)
    except IntegrityError:
        pass  # another tab of the same person was first


def others(conversation: Conversation, viewer: Employee) -> list[Other]:
    """Return who else has the conversation open now."""
    since = timezone.now() - LASTS
    rows = Presence.objects.filter(conversation=conversation, seen_at__gt=since).exclude(employee=viewer)
    found = rows.order_by("employee__name").values_list("employee__name", "typing_at")
    return [Other(name, typing is not None and typing > since) for name, typing in found]


def stopped_typing(conversation: Conversation, viewer: Employee) -> None:
    """Note that the viewer has sent what they typed."""
    Presence.objects.filter(conversation=conversation, employee=viewer, typing_at__isnull=False).update(typing_at=None)


def forget_old() -> int:
    """Remove the presences of earlier days. Return how many there were."""
    rows = Presence.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1))
    return rows.delete()[0] if rows.exists() else 0  # even a DELETE of no rows takes SQLite's write lock

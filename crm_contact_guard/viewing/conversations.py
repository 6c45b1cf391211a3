"""What looking at a conversation does: who answers it has read it, anybody else leaves a trace."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crm_contact_guard import permissions
from crm_contact_guard.conversations.lifecycle import mark_read
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.access import record_view
from crm_contact_guard.record.models import Conversation, Event

#: An open page asks for news under the view recorded when it was opened; after this long it is recorded again.
VIEW_LASTS = timedelta(hours=8)


def seen(viewer: Employee, conversation: Conversation, purpose: str, subject_id: str = "") -> None:
    """What opening a page does: the answering employee has read what came in; anybody else's view is recorded."""
    if permissions.is_party(viewer, conversation):
        mark_read(conversation)
    else:
        record_view(viewer=viewer, conversation=conversation, purpose=purpose, subject_id=subject_id)


def still_seen(viewer: Employee, conversation: Conversation, purpose: str) -> None:
    """What a look of an open page does. Recorded only when no page was opened before: a look is no new view."""
    if permissions.is_party(viewer, conversation):
        mark_read(conversation)
        return
    opened = Event.objects.filter(
        kind="view.content",
        conversation=conversation,
        actor=str(viewer.pk),
        recorded_at__gte=timezone.now() - VIEW_LASTS,
    )
    if not opened.exists():
        record_view(viewer=viewer, conversation=conversation, purpose=purpose)

"""Side effects of viewing a conversation.

If the viewer takes part in the conversation, it is marked as read. Anyone else's view is recorded.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crm_contact_guard import permissions
from crm_contact_guard.conversations.lifecycle import mark_read
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.access import record_view
from crm_contact_guard.record.models import Conversation, Event

#: How long a recorded view covers the polling of an open page. After this time, polling records a new view.
VIEW_LASTS = timedelta(hours=8)


def seen(viewer: Employee, conversation: Conversation, purpose: str, subject_id: str = "") -> None:
    """Handle the opening of a page.

    If the viewer takes part in the conversation, mark it as read. Otherwise record the view.
    """
    if permissions.is_party(viewer, conversation):
        mark_read(conversation)
    else:
        record_view(viewer=viewer, conversation=conversation, purpose=purpose, subject_id=subject_id)


def still_seen(viewer: Employee, conversation: Conversation, purpose: str) -> None:
    """Handle a request that continues an earlier view, such as the polling of an open page.

    If the viewer takes part in the conversation, mark it as read. Otherwise record a view, unless one was recorded
    within ``VIEW_LASTS``.
    """
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

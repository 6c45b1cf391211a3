"""Side effects of viewing a conversation.

If the viewer takes part in the conversation, it is marked as read. Anyone else's view is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from crm_contact_guard import permissions
from crm_contact_guard.conversations.lifecycle import mark_read
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.access import record_view
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.unread.telling import unread_settle

#: How long a recorded view covers the polling of an open page. After this time, polling records a new view.
VIEW_LASTS = timedelta(hours=8)


def seen(viewer: Employee, conversation: Conversation, purpose: str, subject_id: str = "") -> None:
    """Handle the opening of a page.

    If the viewer takes part in the conversation, mark it as read. Otherwise record the view.
    """
    if permissions.is_party(viewer, conversation):
        _mark_read(conversation)
    else:
        record_view(viewer=viewer, conversation=conversation, purpose=purpose, subject_id=subject_id)


def still_seen(viewer: Employee, conversation: Conversation, purpose: str) -> None:
    """Handle a request that continues an earlier view, such as the polling of an open page.

    If the viewer takes part in the conversation, mark it as read. Otherwise record a view, unless one was recorded
    within ``VIEW_LASTS``.
    """
    if permissions.is_party(viewer, conversation):
        _mark_read(conversation)
        return
    opened = Event.objects.filter(
        kind="view.content",
        conversation=conversation,
        actor=str(viewer.pk),
        recorded_at__gte=timezone.now() - VIEW_LASTS,
    )
    if not opened.exists():
        record_view(viewer=viewer, conversation=conversation, purpose=purpose)


def _mark_read(conversation: Conversation) -> None:
    if mark_read(conversation):
        unread_settle(conversation)


def listed(viewer: Employee, conversations: Sequence[Conversation], purpose: str) -> None:
    """Record that a list shows parts of conversations, unless a view was recorded within ``VIEW_LASTS``.

    One query for the whole list. Parties' own conversations don't become read.
    """
    shown = {row.pk: row for row in conversations if row.employee_id != viewer.pk}
    known = Event.objects.filter(
        kind="view.content",
        conversation__in=list(shown),
        actor=str(viewer.pk),
        recorded_at__gte=timezone.now() - VIEW_LASTS,
    )
    for key in shown.keys() - set(known.values_list("conversation", flat=True)):
        record_view(viewer=viewer, conversation=shown[key], purpose=purpose)

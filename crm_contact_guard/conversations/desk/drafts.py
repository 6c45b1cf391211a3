"""What employees have begun to write, kept per conversation so that no reload or lost login takes it away.

A draft is no message: only its writer sees it, no record or export contains it, and it goes when it is sent, when the
conversation's messages are erased, or when nobody has touched it for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.desk.models import Draft
from crm_contact_guard.conversations.rights import may_write
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation, Message

#: How long a draft that nobody touches is kept.
KEPT: Final = timedelta(days=90)


@database.atomic()
def draft_keep(*, conversation: Conversation, actor: Employee, text: str) -> None:
    """Keep what the employee has typed so far; an empty text removes the draft. Raise NotPermitted."""
    if not may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    text = canonical_text(text)[: settings.MAX_TEXT_LENGTH]
    if not text.strip():
        draft_forget(conversation=conversation, actor=actor)
        return
    Draft.objects.update_or_create(
        conversation=conversation, employee=actor, defaults={"text": text, "updated_at": timezone.now()}
    )


def draft_of(conversation: Conversation, writer: Employee) -> str:
    """Return the writer's own draft; "" if there is none."""
    rows = Draft.objects.filter(conversation=conversation, employee=writer).values_list("text", flat=True)
    return rows.first() or ""


def draft_forget(*, conversation: Conversation, actor: Employee) -> None:
    """Remove the employee's own draft, such as when it has been sent."""
    rows = Draft.objects.filter(conversation=conversation, employee=actor)
    if rows.exists():  # even a DELETE of no rows takes SQLite's write lock
        rows.delete()


def forget_with(message_ids: Sequence[UUID]) -> None:
    """Remove the drafts of the conversations of erased messages, in the transaction of the erasure."""
    talks = Message.objects.filter(pk__in=message_ids).values_list("conversation_id", flat=True).distinct()
    Draft.objects.filter(conversation__in=list(talks)).delete()


def forget_old() -> int:
    """Remove drafts that nobody has touched for ``KEPT``. Return how many there were."""
    rows = Draft.objects.filter(updated_at__lt=timezone.now() - KEPT)
    return rows.delete()[0] if rows.exists() else 0  # even a DELETE of no rows takes SQLite's write lock

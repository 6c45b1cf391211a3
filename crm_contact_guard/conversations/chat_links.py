"""Web chat links, which expire and can be revoked.

The URL contains a random token. The database stores only the token's hash.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.conversations.rights import may_write
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.record.recording import record_event


@database.atomic()
def chat_link_create(*, conversation: Conversation, created_by: Employee | None) -> tuple[ChatLink, str]:
    """Create a link. Return it with its token, which is not stored and can't be retrieved later.

    ``created_by`` is None if the host's own code creates the link. Raise NotPermitted if the employee may not write in
    the conversation.
    """
    _refuse(created_by, conversation)
    token = secrets.token_urlsafe(24)
    now = timezone.now()
    link = ChatLink.objects.create(
        conversation=conversation,
        token_hash=_hash(token),
        created_by=created_by,
        created_at=now,
        expires_at=now + timedelta(days=float(settings.CHAT_LINK_DAYS)),
    )
    record_event(
        kind="chat_link.created",
        subject_type="chat_link",
        subject_id=link.pk,
        by=created_by,
        conversation=conversation,
        row=link,
    )
    return link, token


def chat_link_find(token: str) -> ChatLink | None:
    """Return the link for a token, or None if the token is unknown or its link has expired or been revoked."""
    return (
        ChatLink.objects.select_related("conversation__customer", "conversation__employee")
        .filter(token_hash=_hash(token), revoked_at__isnull=True, expires_at__gt=timezone.now())
        .first()
    )


def has_link(conversation: Conversation) -> bool:
    """Whether the customer has a link to the web chat that still works."""
    rows = ChatLink.objects.filter(conversation=conversation, revoked_at__isnull=True)
    return rows.filter(expires_at__gt=timezone.now()).exists()


@database.atomic()
def chat_link_revoke(*, link: ChatLink, revoked_by: Employee) -> None:
    """Revoke a link. Chat pages that are open stop working at their next request.

    Raise NotPermitted if the employee may not write in the conversation.
    """
    _refuse(revoked_by, link.conversation)
    now = timezone.now()
    if ChatLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=now):
        link.revoked_at = now
        record_event(
            kind="chat_link.revoked",
            subject_type="chat_link",
            subject_id=link.pk,
            by=revoked_by,
            conversation=link.conversation,
            row=link,
        )


def _refuse(actor: Employee | None, conversation: Conversation) -> None:
    if actor is not None and not may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

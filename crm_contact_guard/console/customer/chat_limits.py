"""Which messages the web chat accepts from a customer."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.console.customer.chat_entry import form_token
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Direction, Message

#: Maximum number of customer messages per minute in a conversation: more than anyone types, too few for a script to do
#: harm.
PER_MINUTE = 30
#: Maximum number of customer files per hour in a conversation: enough for an album of pictures, too few to fill a disk.
FILES_PER_HOUR = 60


def fault(request: HttpRequest, link: ChatLink, token: str, text: str, channel: Channel) -> tuple[str, int]:
    """Return an error message for a posted message and the matching HTTP status, or "" and 200 if it is acceptable."""
    most = min(limit for limit in (settings.MAX_TEXT_LENGTH, channel.max_length) if limit)
    if not constant_time_compare(request.POST.get("form_token", ""), form_token(token)):
        # Another link has been opened in this browser since, or the form was posted from another site.
        return _("This page is out of date. Your message was not sent yet: please send it again."), 403
    if not text.strip() and not any(request.FILES.getlist("files")):
        return _("Please write something first."), 422
    if len(text) > most:
        words = _("Your message has %(has)d characters; at most %(most)d are possible. Please send it in parts.")
        return words % {"has": len(text), "most": most}, 422
    lately = Message.objects.filter(
        conversation_id=link.conversation_id,
        direction=Direction.INBOUND,
        recorded_at__gte=timezone.now() - timedelta(minutes=1),
    ).count()
    files = Attachment.objects.filter(
        message__conversation=link.conversation_id,
        message__direction=Direction.INBOUND,
        message__recorded_at__gte=timezone.now() - timedelta(hours=1),
    )
    if lately >= PER_MINUTE or (request.FILES and files.count() >= FILES_PER_HOUR):
        return _("That was a lot at once. Please wait a minute and send it again; nothing is lost."), 429
    return "", 200

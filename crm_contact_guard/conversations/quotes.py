"""Detection of false quotes, so that new text marked as quoted ("> " or otherwise) is inspected, too.

The quoted part of a mail is compared with earlier messages of the conversation. Text that is not in them counts as the
writer's own.
"""

from __future__ import annotations

from django.conf import settings as django_settings

from crm_contact_guard.conversations.recording_notice import recording_notice
from crm_contact_guard.detection.segments import Said, has_parts, segments
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.record.models import Conversation, Message

#: Number of earlier messages that a mail can quote from.
_EARLIER = 50


def told_apart(conversation: Conversation, text: str, quoted: str) -> tuple[str, str]:
    """The new text with false quotes appended, and the genuine quotes. Signatures stay in the quoted part."""
    if not quoted.strip():
        return text, quoted
    said = Said(earlier_words(conversation))
    genuine: list[str] = []
    false: list[str] = []
    for part in segments(quoted, Direction.INBOUND, said):
        (false if part.whose.is_judged else genuine).append(quoted[part.start : part.end])
    added = "".join(false).strip()
    if not any(map(str.isalnum, added)):
        return text, quoted
    return "\n".join(part for part in (text, added) if part), "".join(genuine).strip()


def earlier_words(conversation: Conversation, *, before: Message | None = None) -> list[str]:
    """Texts of the conversation's latest messages, the newest first; with ``before``, those earlier than that message.

    The recording notice in all languages comes first, since replies quote it and a customer's language may change.
    """
    earlier = Message.objects.filter(conversation=conversation)
    if before is not None:
        earlier = earlier.filter(occurred_at__lte=before.occurred_at).exclude(pk=before.pk)
    rows = earlier.order_by("-occurred_at", "-id").values_list("text", "quoted", "subject")[:_EARLIER]
    footers = [recording_notice(code) for code, _name in django_settings.LANGUAGES]
    return [*footers, *(part for row in rows for part in row if part)]


def words_before(message: Message) -> list[str]:
    """The texts that a recorded message may quote. No query if the message has no quoted parts."""
    if not has_parts(message.text or "", Direction(message.direction)):
        return []
    return earlier_words(message.conversation, before=message)

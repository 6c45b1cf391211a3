"""Quotes that quote nothing: neither "> " nor any other delimiter hides new words from inspection.

What a mail presents as quoted history is compared with what was really said in the conversation; what nobody said
before is the writer's own words.
"""

from __future__ import annotations

from django.conf import settings as django_settings

from crm_contact_guard.conversations.recording_notice import recording_notice
from crm_contact_guard.detection.segments import Said, has_parts, segments
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.record.models import Conversation, Message

#: How many earlier messages a mail may quote from.
_EARLIER = 50


def told_apart(conversation: Conversation, text: str, quoted: str) -> tuple[str, str]:
    """The new text with false quotes added at its end, and the true quotes. Signatures stay where they are."""
    if not quoted.strip():
        return text, quoted
    said = Said(earlier_words(conversation))
    kept: list[str] = []
    false: list[str] = []
    for part in segments(quoted, Direction.INBOUND, said):
        (false if part.whose.is_judged else kept).append(quoted[part.start : part.end])
    added = "".join(false).strip()
    if not any(map(str.isalnum, added)):
        return text, quoted
    return "\n".join(part for part in (text, added) if part), "".join(kept).strip()


def earlier_words(conversation: Conversation, *, before: Message | None = None) -> list[str]:
    """What was said in the conversation, the newest first; ``before`` a message, or up to now.

    With it stand our own footers: they come back with quotes, and a customer's language may have changed meanwhile.
    """
    earlier = Message.objects.filter(conversation=conversation)
    if before is not None:
        earlier = earlier.filter(occurred_at__lte=before.occurred_at).exclude(pk=before.pk)
    rows = earlier.order_by("-occurred_at", "-id").values_list("text", "quoted", "subject")[:_EARLIER]
    footers = [recording_notice(code) for code, _name in django_settings.LANGUAGES]
    return [*footers, *(part for row in rows for part in row if part)]


def words_before(message: Message) -> list[str]:
    """What a recorded message may quote; asked only where it has parts to tell apart."""
    if not has_parts(message.text or "", Direction(message.direction)):
        return []
    return earlier_words(message.conversation, before=message)

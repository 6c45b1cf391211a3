"""Quotes that quote nothing: "> " before a line must not hide new words from inspection.

What a mail presents as quoted history is compared with what was really said in the conversation; lines that nobody said
before are the writer's own words.
"""

from __future__ import annotations

from django.conf import settings as django_settings

from crm_contact_guard.ledger.delivery import recording_notice
from crm_contact_guard.ledger.models import Conversation, Message

#: How many earlier messages a mail may quote from.
_EARLIER = 50
_MARKS = ">＞| \t　"
#: Lines that mail programs add around a quote; they hold addresses and dates, not words.
_FRAME = (
    "from:",
    "sent:",
    "to:",
    "cc:",
    "date:",
    "subject:",
    "差出人:",
    "送信日時:",
    "宛先:",
    "件名:",
    "日時:",
    "-----",
)


def told_apart(conversation: Conversation, text: str, quoted: str) -> tuple[str, str]:
    """The new text with false quotes added at its end, and the true quotes. Signatures stay where they are."""
    marked = [line for line in quoted.split("\n") if line.lstrip().startswith((">", "＞"))]
    if not marked:
        return text, quoted
    said = _said(conversation)
    false = [line for line in marked if not _is_frame(line) and _squeezed(line) not in said]
    if not false:
        return text, quoted
    lines = set(false)
    kept = "\n".join(line for line in quoted.split("\n") if line not in lines)
    return "\n".join(part for part in (text, *false) if part), kept


def _said(conversation: Conversation) -> str:
    earlier = Message.objects.filter(conversation=conversation).order_by("-occurred_at", "-id")
    texts = earlier.values_list("text", "quoted", "subject")[:_EARLIER]
    # Our own footer comes back with every quote; a customer's language may have changed meanwhile.
    footers = [recording_notice(code) for code, _name in django_settings.LANGUAGES]
    return "\n".join(_squeezed(part) for part in (*footers, *(part for row in texts for part in row if part)))


def _is_frame(line: str) -> bool:
    bare = line.strip(_MARKS).lower().replace("：", ":")
    if not bare.strip("-_—"):  # also the line before a signature
        return True
    return bare.startswith(_FRAME) or (bare.endswith(":") and "@" in bare)


def _squeezed(text: str) -> str:
    """Without white space and quote marks, since mail programs wrap lines anew."""
    return "".join(character for character in text if character not in _MARKS and not character.isspace())

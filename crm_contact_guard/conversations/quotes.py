"""Detect false quotes, so that new text that is disguised as a quote (with "> " or otherwise) is inspected, too.

The quoted part of an email is compared with earlier messages in the conversation. Text that doesn't occur in those
messages counts as the writer's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings as django_settings

from crm_contact_guard.conversations.recording_notice import recording_notice
from crm_contact_guard.detection.segments import Part, Said, has_parts, segments
from crm_contact_guard.detection.segments.attributions import depth, frame_at, is_bare, read_line
from crm_contact_guard.detection.segments.frames import subject_of
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.reached import reached

#: Number of earlier messages that quoted text is compared with.
_EARLIER = 50


def told_apart(conversation: Conversation, text: str, quoted: str) -> tuple[str, str]:
    """Return the new text with false quotes appended, and the genuine quotes.

    Company signatures stay in the quoted part.
    """
    if not quoted.strip():
        return text, quoted
    lines = quoted.split("\n")
    is_true = _true_lines(lines, Said(earlier_words(conversation)))
    for at in _signature_lines(lines, is_true):
        is_true[at] = True
    false = "\n".join(line for line, true in zip(lines, is_true, strict=True) if not true)
    if not any(map(str.isalnum, false)):
        return text, quoted
    genuine = "\n".join(line for line, true in zip(lines, is_true, strict=True) if true)
    return "\n".join(part for part in (text, false.strip("\n")) if part), genuine.strip()


def _true_lines(lines: Sequence[str], said: Said) -> list[bool]:
    """Return a list that tells for each line whether it is genuine.

    A line is genuine if it repeats an earlier message, has no letters or digits, or is part of the heading that a mail
    program puts before a genuine quote.
    """
    bare = [read_line(line) for line in lines]
    is_true = said.repeated([subject_of(line) for line in bare])
    is_true = [true or not any(map(str.isalnum, line)) for true, line in zip(is_true, lines, strict=True)]
    depths = [depth(line) for line in lines]
    at, pending = 0, range(0)
    while at < len(lines):
        frame = frame_at(bare, depths, at) if bare[at] else None
        if frame is None:
            if pending and is_true[at] and bare[at]:
                _accept(pending, bare, is_true)
                pending = range(0)
            at += 1
            continue
        pending = range(at, at + frame.lines)
        at += frame.lines
    return is_true


def _accept(frame: range, bare: Sequence[str], is_true: list[bool]) -> None:
    """Mark the lines of a heading as genuine, except those with text that a person may have written.

    Such text, for example a subject, must occur in an earlier message as well.
    """
    for at in frame:
        is_true[at] = is_true[at] or is_bare(bare[at])


def _signature_lines(lines: Sequence[str], is_true: Sequence[bool]) -> list[int]:
    """Return the indexes of those false lines that belong to company signatures or disclaimers."""
    others = [at for at, true in enumerate(is_true) if not true]
    text = "\n".join(lines[at] for at in others)
    found = []
    begin = 0
    nobodys = [part for part in segments(text, Direction.INBOUND) if part.part in (Part.SIGNATURE, Part.DISCLAIMER)]
    for at in others:
        end = begin + len(lines[at])
        if any(part.start <= begin and end <= part.end for part in nobodys):
            found.append(at)
        begin = end + 1
    return found


def earlier_words(conversation: Conversation, *, before: Message | None = None) -> list[str]:
    """Return the text, quoted text and subject of the conversation's latest messages, newest first.

    With ``before``, omit that message and all messages after it. The list begins with the recording notice in all
    languages, because replies quote it and a customer's language may change.
    """
    # A message that never went out can't be quoted by anybody.
    earlier = reached(Message.objects.filter(conversation=conversation))
    if before is not None:
        earlier = earlier.filter(occurred_at__lte=before.occurred_at).exclude(pk=before.pk)
    rows = earlier.order_by("-occurred_at", "-id").values_list("text", "quoted", "subject")[:_EARLIER]
    footers = [recording_notice(code) for code, _name in django_settings.LANGUAGES]
    return [*footers, *(part for row in rows for part in row if part)]


def words_before(message: Message) -> list[str]:
    """Return the earlier text that a recorded message may quote. Run no query if the message has no quoted parts."""
    if not has_parts(message.text or "", Direction(message.direction)):
        return []
    return earlier_words(message.conversation, before=message)

"""Windows of a conversation's messages: the newest, those before a message, or those around the evidence."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from crm_contact_guard.console.conversation.line import Line, lines
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.models import Finding

WINDOW = 40
#: Maximum number of messages that ``around`` shows without leaving any out.
LONG = 2 * WINDOW
#: Maximum number of messages returned when an open page polls for changes.
TAIL = 200


@dataclass(frozen=True)
class Window:
    """Messages, oldest first, and whether there are ``earlier`` or ``later`` ones in the conversation."""

    lines: Sequence[Line]
    earlier: bool
    later: bool


def _rows(conversation: Conversation) -> QuerySet[Message]:
    rows: QuerySet[Message] = Message.objects.filter(conversation=conversation)
    return rows.select_related("delivery", "wait__decided_by", "employee", "customer")


def _before(message: Message) -> Q:
    return Q(occurred_at__lt=message.occurred_at) | Q(occurred_at=message.occurred_at, id__lt=message.pk)


def _after(message: Message) -> Q:
    return Q(occurred_at__gt=message.occurred_at) | Q(occurred_at=message.occurred_at, id__gt=message.pk)


def message_of(conversation: Conversation, message_id: str | UUID | None) -> Message | None:
    """Return the message with this ID, or None if it doesn't belong to the conversation."""
    try:
        key = UUID(str(message_id))
    except ValueError:
        return None
    return _rows(conversation).filter(pk=key).first()


def newest(conversation: Conversation, findings: QuerySet[Finding], *, before: Message | None = None) -> Window:
    """Return the newest messages, or the newest of those preceding ``before``."""
    rows = _rows(conversation)
    if before is not None:
        rows = rows.filter(_before(before))
    found = list(rows.order_by("-occurred_at", "-id")[: WINDOW + 1])
    return Window(lines(found[:WINDOW][::-1], findings), earlier=len(found) > WINDOW, later=before is not None)


def following(conversation: Conversation, findings: QuerySet[Finding], *, start: Message | None) -> list[Line]:
    """Return the current messages of an open page from ``start`` on, or all if the page had no messages yet (None).

    At most the newest ``TAIL`` messages are returned.
    """
    rows = _rows(conversation)
    if start is not None:
        rows = rows.filter(_after(start) | Q(pk=start.pk))
    return lines(list(rows.order_by("-occurred_at", "-id")[:TAIL])[::-1], findings)


def around(
    conversation: Conversation, findings: QuerySet[Finding], places: Sequence[Message], *, margin: int = WINDOW // 2
) -> Window:
    """Return ``places`` (at least one message, oldest first) with the messages before, between and after them.

    If that would be more than ``LONG`` messages, only ``margin`` messages on either side of each place are returned.
    The line after a gap has the number of messages left out.
    """
    first, last = places[0], places[-1]
    rows = _rows(conversation)
    before = list(
        rows.filter(_before(first)).order_by("-occurred_at", "-id").values_list("pk", flat=True)[: margin + 1]
    )
    after = list(rows.filter(_after(last)).order_by("occurred_at", "id").values_list("pk", flat=True)[: margin + 1])
    between = rows.filter((_after(first) | Q(pk=first.pk)) & (_before(last) | Q(pk=last.pk)))
    keys = [
        *before[:margin][::-1],
        *between.order_by("occurred_at", "id").values_list("pk", flat=True),
        *after[:margin],
    ]
    kept = _near(keys, {place.pk for place in places}, margin) if len(keys) > LONG else range(len(keys))
    found = rows.in_bulk([keys[index] for index in kept])
    made = lines([found[keys[index]] for index in kept], findings)
    for number, (earlier, index) in enumerate(pairwise(kept), start=1):
        if index > earlier + 1:
            made[number] = replace(made[number], left_out=index - earlier - 1, follows=False)
    return Window(made, earlier=len(before) > margin, later=len(after) > margin)


def _near(keys: Sequence[UUID], places: Set[UUID], margin: int) -> Sequence[int]:
    """Return the indexes of ``keys`` at most ``margin`` away from one in ``places``.

    If there are more than twice ``LONG``, return only the first and the last ``LONG`` of them.
    """
    wanted = {
        index
        for place, key in enumerate(keys)
        if key in places
        for index in range(max(0, place - margin), min(len(keys), place + margin + 1))
    }
    kept = sorted(wanted)
    return kept if len(kept) <= 2 * LONG else [*kept[:LONG], *kept[-LONG:]]


def version(conversation: Conversation, start: Message | None) -> str:
    """Return a version string that changes with the messages from ``start`` on or with the employee in charge.

    Cheap to compute, since every open page polls it every few seconds.
    """
    rows = Message.objects.filter(conversation=conversation)
    if start is not None:
        rows = rows.filter(occurred_at__gte=start.occurred_at)
    state = rows.aggregate(count=Count("pk"), kept=Count("salt"), moved=Max("delivery__updated_at"))
    moved = int(state["moved"].timestamp() * 1_000_000) if state["moved"] else 0
    return f"{state['count']}.{state['kept']}.{moved}.{conversation.employee_id or ''}"

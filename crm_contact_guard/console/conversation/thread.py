"""Windows of a conversation's messages: the newest, those before a message, or those around the evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.conversation.call_words import NoteDetails, details_of
from crm_contact_guard.console.conversation.evidence import Piece, pieces
from crm_contact_guard.console.conversation.margin import Reason, marks, noticed
from crm_contact_guard.console.conversation.shown_files import NO_FILES, LineFiles, files_of
from crm_contact_guard.console.conversation.shown_waits import ShownWait, waits_of
from crm_contact_guard.console.forms import EraseForm
from crm_contact_guard.conversations import takebacks
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.addresses import name_of
from crm_contact_guard.policy.closing.urgent import URGENT
from crm_contact_guard.record.models import AUTO, Conversation, Direction, Message
from crm_contact_guard.record.reached import UNSENT
from crm_contact_guard.supervision.models import Finding, Tier
from crm_contact_guard.supervision.showing import shown, shown_values, stored_findings

WINDOW = 40
#: Maximum number of messages that ``around`` shows without leaving any out.
LONG = 2 * WINDOW
#: Maximum number of messages returned when an open page polls for changes.
TAIL = 200


@dataclass(frozen=True)
class Erasing:
    """The form for erasing a message that an alert names. ``open``: its input was rejected and is shown again."""

    alert_id: UUID
    form: EraseForm
    open: bool


@dataclass(frozen=True)
class Line:
    """A message as shown on pages. Templates must use its text, where sensitive data is masked, not ``message``'s."""

    message: Message
    pieces: Sequence[Piece]
    at: datetime
    subject: str = ""
    quoted: str = ""
    reasons: Sequence[Reason] = ()
    #: Explanations of findings in the message that raised no alert.
    noticed: Sequence[str] = ()
    #: The message's date in the viewer's time zone, if it is the first message of that day.
    new_day: date | None = None
    #: Number of messages left out before this one.
    left_out: int = 0
    #: Whether the previous message came from the same side shortly before, so that the name need not be repeated.
    follows: bool = False
    delivery: Delivery | None = None
    #: Why and until when the message waits, or why it didn't go; None if it went out at once.
    wait: ShownWait | None = None
    files: LineFiles = NO_FILES
    #: Whether the sender has retracted the message at the carrier. The record keeps it.
    taken_back: bool = False
    #: Whether the message was generated automatically, such as an out-of-office reply or a bounce (RFC 3834).
    automatic: bool = False
    #: Whether the customer marked the message as urgent.
    urgent: bool = False
    #: The sender's name, with any address in it masked.
    from_name: str = ""
    #: Details of a note about a call or meeting.
    details: NoteDetails | None = None
    erasing: Erasing | None = None

    @property
    def erased(self) -> bool:
        return self.message.text is None and self.message.salt is None

    @property
    def unsent(self) -> bool:
        """Whether the message waits, or was kept back before it went out."""
        return self.delivery is not None and self.delivery.state in UNSENT

    @property
    def shown(self) -> str:
        """The text as pages show it."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def unseen(self) -> bool:
        """Whether the message stands on the web chat's page, which the customer hasn't opened since."""
        sent = self.delivery is not None and self.delivery.state == Delivery.State.SENT
        return sent and channel_choices.on_our_page(self.message.channel)

    @property
    def trouble(self) -> str:
        """The carrier's reason for rejecting the message, with addresses masked, since carriers may include them."""
        return name_of(self.delivery.last_error) if self.delivery is not None else ""

    @property
    def call_outcome(self) -> str:
        """The outcome or duration of a phone call reported by a carrier; "" for other messages."""
        return self.details.outcome if self.details is not None else ""

    @property
    def version(self) -> str:
        """A version string that changes whenever the line's appearance changes."""
        state = self.delivery.state if self.delivery is not None else ""
        if self.files.waiting or self.files.lost:
            state += f"-{self.files.waiting}w{self.files.lost}"
        if self.wait is not None and self.wait.row.due_at is not None:
            state += f"-{int(self.wait.row.due_at.timestamp())}"
        if self.taken_back:
            state += "-back"
        told = f"{len(self.reasons)}-{len(self.noticed)}"
        return f"{state}-{told}-{int(self.erased)}-{int(self.new_day is not None)}-{int(self.follows)}"


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


def lines(
    messages: Sequence[Message],
    findings: Iterable[Finding],
    *,
    said_at: Callable[[Any], datetime] = attrgetter("occurred_at"),
) -> list[Line]:
    """Convert messages (oldest first) to lines, marking the evidence of ``findings``, which the viewer may see.

    ``said_at`` returns the time to show for a message.
    """
    if isinstance(findings, QuerySet):
        findings = findings.filter(message__in=[message.pk for message in messages])
    by_message: dict[UUID, list[Finding]] = {}
    for finding in findings:
        by_message.setdefault(finding.message_id, []).append(finding)
    sensitive = stored_findings([message.pk for message in messages])
    files = files_of(messages)
    taken_back = takebacks.of(messages)
    waits = waits_of(messages)
    made: list[Line] = []
    previous: Message | None = None
    number = 0
    for message in messages:
        details = json.loads(message.details or "{}")
        found = by_message.get(message.pk, [])
        spans, reasons = marks(message, [one for one in found if one.tier == Tier.ALERT], number)
        number += len(reasons)
        at = said_at(message)
        day = timezone.localtime(at).date()
        new_day = previous is None or timezone.localtime(said_at(previous)).date() != day
        made.append(
            Line(
                message=message,
                at=at,
                pieces=pieces(shown(message.text, sensitive.get(message.pk, ())), spans),
                subject=shown(message.subject),
                quoted=shown(message.quoted),
                reasons=reasons,
                noticed=noticed(message, [one for one in found if one.tier == Tier.NOTICED]),
                new_day=day if new_day else None,
                follows=not new_day and previous is not None and _follows(message, previous),
                delivery=_delivery(message),
                wait=waits.get(message.pk),
                files=files.get(message.pk, NO_FILES),
                taken_back=message.pk in taken_back,
                from_name=name_of(message.from_name or ""),
                urgent=URGENT in details,
                automatic=message.source == AUTO or bool(details.get("auto_submitted")),
                details=details_of(shown_values(details)) if message.direction == Direction.NOTE else None,
            )
        )
        previous = message
    return made


def _follows(message: Message, previous: Message) -> bool:
    same = (message.direction, message.employee_id) == (previous.direction, previous.employee_id)
    return (
        same
        and message.direction != Direction.NOTE
        and (message.occurred_at - previous.occurred_at).total_seconds() < 300
    )


def _delivery(message: Message) -> Delivery | None:
    return getattr(message, "delivery", None) if message.direction == Direction.OUTBOUND else None

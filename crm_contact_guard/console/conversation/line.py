"""A message as pages show it: its text with sensitive data masked, the evidence in it, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
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
from crm_contact_guard.record.models import AUTO, Direction, Message
from crm_contact_guard.record.reached import UNSENT
from crm_contact_guard.supervision.models import Finding, Tier
from crm_contact_guard.supervision.showing import shown, shown_values, stored_findings


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

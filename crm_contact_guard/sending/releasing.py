"""Releases messages whose time has come, after judging them once more, and ends holds that nobody decided in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.conversations.quotes import words_before
from crm_contact_guard.conversations.rights import may_write
from crm_contact_guard.delivery import consent, waits
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.detection.types import Scan, Stance
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import limits, moments
from crm_contact_guard.policy.decision import Action, Decision, decide
from crm_contact_guard.record.models import Message
from crm_contact_guard.sending.deadlines import deadline, hold_ends
from crm_contact_guard.sending.telling import decided, held_tell
from crm_contact_guard.supervision.preview import preview

#: A draft without findings, for messages whose content a supervisor approved.
_NOTHING: Final = Scan(attempt=False, by=None, stance=Stance.NONE, score=0.0)


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """What becomes of a message at its time: a word of ``waits.WORDS``, the next time, and the reasons."""

    word: str
    due_at: datetime | None = None
    reasons: tuple[str, ...] = ()


def release(message_id: UUID) -> str:
    """Let a due message go, or keep it back if it no longer may. Return the word recorded; empty if nothing was due."""
    wait = waits.wait_of(message_id)
    now = timezone.now()
    if wait is None or wait.state not in waits.OPEN or wait.due_at is None or wait.due_at > now:
        return ""
    found = _judge(wait, now)
    with database.atomic():
        was_held = wait.state == Wait.State.HELD
        data = {"reasons": list(found.reasons)} if found.reasons else None
        if not waits.move(wait, found.word, due_at=found.due_at, data=data):
            return ""
        if was_held:
            decided(message_id)
        if found.word == "released":
            later("deliver", str(message_id))
            later("inspect", str(message_id))
        elif found.word == "held":
            held_tell(wait.message)
    return found.word


def _judge(wait: Wait, now: datetime) -> _Verdict:
    message = wait.message
    if wait.state == Wait.State.HELD:
        return _Verdict(word="expired" if hold_ends() == "expire" else "returned", reasons=("undecided",))
    writer = message.employee
    trouble = _trouble(message, writer)
    if writer is None or trouble:
        return _Verdict(word="returned", reasons=(trouble,))
    if wait.reason == Wait.Reason.UNDO:
        # It passed some seconds ago.
        return _Verdict(word="released")
    return _by_rules(wait, _decision(wait, writer, now), now)


def _by_rules(wait: Wait, decision: Decision, now: datetime) -> _Verdict:
    """Apply a new decision. What a supervisor approved waits for working hours at most."""
    approved = wait.decided_by_id is not None
    if decision.action is Action.SCHEDULE or (approved and decision.action is Action.BLOCK):
        return _later(decision, now)
    if decision.action is Action.HOLD and not approved:
        due_at = deadline(wait.message.conversation, now)
        return _Verdict(word="held", due_at=due_at, reasons=decision.reasons)
    asks = decision.action is Action.NUDGE and not set(decision.reasons) <= set(wait.answered)
    if decision.action is Action.BLOCK or (asks and not approved):
        return _Verdict(word="returned", reasons=decision.reasons)
    return _Verdict(word="released", reasons=decision.reasons)


def _later(decision: Decision, now: datetime) -> _Verdict:
    earliest = decision.earliest_send_at
    if earliest is None or earliest <= now:
        return _Verdict(word="returned", reasons=(*decision.reasons, "never"))
    return _Verdict(word="rescheduled", due_at=earliest, reasons=decision.reasons)


def _trouble(message: Message, writer: Employee | None) -> str:
    """Return why the message can't go any more, whatever the rules say; empty if it can.

    ``erased``, ``writer`` (left, or no longer answers here), ``address`` (the customer can't be reached there any more)
    or ``channel`` (not configured, or takes no free text now).
    """
    if message.salt is None:
        return "erased"
    if writer is None or not may_write(writer, message.conversation):
        return "writer"
    try:
        carrier = registry.channel(message.channel)
        if consent.withdrawn(message, carrier):
            return "address"
        consent.address_to_write_to(message.conversation.customer, carrier)
    except InvalidMessage:
        return "address"
    except ConfigurationError:
        return "channel"
    if not limits.limits(message.conversation, carrier).window_open and not _is_template(message):
        return "channel"
    return ""


def _is_template(message: Message) -> bool:
    return '"template"' in (message.details or "")


def _decision(wait: Wait, writer: Employee, now: datetime) -> Decision:
    message = wait.message
    if wait.decided_by_id is not None:
        moment = moments.moment_of(writer, now, conversation=message.conversation)
        return decide(scan=_NOTHING, moment=moment, emergency=False)
    looked = preview(
        actor=writer,
        text=message.text or "",
        said=words_before(message),
        at=now,
        conversation=message.conversation,
        recorded=message,
    )
    return looked.decision

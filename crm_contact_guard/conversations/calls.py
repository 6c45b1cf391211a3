"""Record phone calls that a carrier reports."""

from __future__ import annotations

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import CallEvent, CallOutcome
from crm_contact_guard.conversations import lifecycle, senders
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Direction, Event, Message, MessageKind
from crm_contact_guard.record.recording import record_message

#: Kind of the event that records a call request. Its subject is our call ID, which the carrier includes in its report.
ASKED = "call.asked"


def call_ended(event: CallEvent) -> Message:
    """Record a finished call as a note in the customer's conversation. Call this inside a transaction."""
    asked = _asked(event)
    conversation = (
        asked.conversation
        if asked is not None and asked.conversation is not None
        else senders.conversation_with(registry.channel(event.channel), event.address)
    )
    details = {
        "inbound": event.inbound,
        "seconds": event.seconds,
        "outcome": event.outcome.value,
        **({"carrier": dict(event.detail)} if event.detail else {}),
    }
    caller = _caller(asked) or conversation.employee
    message = record_message(
        conversation=conversation,
        direction=Direction.NOTE.value,
        channel=event.channel,
        kind=MessageKind.CALL.value,
        occurred_at=event.started_at,
        text="",
        employee_id=caller.pk if caller is not None else None,
        from_name=_name(conversation) if event.inbound else _employee_name(caller),
        from_address=event.address if event.inbound else None,
        to_name=_employee_name(caller) if event.inbound else _name(conversation),
        to_address=None if event.inbound else event.address,
        details=details,
        carrier_id=event.carrier_id,
    )
    lifecycle.note_message(conversation, message)
    if event.inbound and event.outcome is not CallOutcome.ANSWERED:
        lifecycle.note_missed_call(conversation, event.started_at)
    return message


def _asked(event: CallEvent) -> Event | None:
    if not event.call_id:
        return None
    return Event.objects.filter(kind=ASKED, subject_type="call", subject_id=event.call_id[:64]).first()


def _name(conversation: Conversation) -> str:
    return conversation.customer.name


def _caller(asked: Event | None) -> Employee | None:
    """The employee who requested the call, not necessarily the one assigned to the conversation."""
    return Employee.objects.filter(pk=asked.actor).first() if asked is not None and asked.actor else None


def _employee_name(employee: Employee | None) -> str | None:
    return employee.name if employee is not None else None

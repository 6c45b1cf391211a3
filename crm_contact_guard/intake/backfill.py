"""Import a host's older messages. Each is recorded once and marked as backfilled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import crm
from crm_contact_guard.conversations.carrier_events import note_seen, seen
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.mirror_people import mirror_employee
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.placing import placed
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation, Direction, Message
from crm_contact_guard.record.recording import record_message

#: Value of ``Message.source``, which is part of the message's leaf hash.
SOURCE = "backfill"


@dataclass(frozen=True, kw_only=True)
class OldMessage:
    """A message from the host's own tables.

    * ``key``: the host's unique ID for the message.
    * ``customer_key``, ``employee_key``: the adapter's keys.
    * ``channel``: a word such as "email" or "fax".
    * ``sent_at``: an aware datetime.
    * ``thread``: an identifier shared by messages that belong together.
    * ``tenant``: the tenant whose context is entered to read the customer and the employee.
    """

    key: str
    customer_key: str
    employee_key: str
    direction: Literal["inbound", "outbound", "note"]
    channel: str
    text: str
    sent_at: datetime
    subject: str = ""
    thread: str = ""
    tenant: str = ""


def record_old(old: OldMessage, *, inspect: bool = False, dry_run: bool = False) -> Literal["recorded", "known"]:
    """Record one old message, unless it is known. Raises InvalidMessage, in which case nothing is recorded."""
    _check(old)
    if seen(SOURCE, old.key) is not None:
        return "known"
    with crm.tenant(old.tenant):
        customer = _customer(old)
        employee = _employee(old, customer)
    if dry_run:
        return "recorded"
    with insert_once(lambda: seen(SOURCE, old.key)) as insertion:
        noted = note_seen(SOURCE, old.key)
        conversation = _conversation(old, customer, employee)
        noted.message = _record(old, conversation, customer, employee)
        noted.save(update_fields=["message"])
        if inspect:
            later("inspect", str(noted.message.pk))
    return "recorded" if insertion.is_first else "known"


def _check(old: OldMessage) -> None:
    # Keys are not truncated, since two could become equal. The second message would then count as known.
    for name, text, most in (("key", old.key, 255), ("channel", old.channel, 64)):
        if not text or len(text) > most or not text.isprintable():
            raise InvalidMessage(
                _("This must be a line of 1 to %(most)d printable characters.") % {"most": most}, field=name
            )
    if old.direction not in Direction.values:
        raise InvalidMessage(_("Unknown direction %(word)r.") % {"word": old.direction}, field="direction")
    if timezone.is_naive(old.sent_at):
        raise InvalidMessage(_("The time has no zone."), field="sent_at")
    if old.sent_at > timezone.now():
        raise InvalidMessage(_("The time is in the future."), field="sent_at")


def _customer(old: OldMessage) -> Customer:
    try:
        return customer_for(old.customer_key)
    except LookupError as error:
        raise InvalidMessage(str(error), field="customer_key") from error


def _employee(old: OldMessage, customer: Customer) -> Employee:
    employee = Employee.objects.filter(key=old.employee_key, tenant=customer.tenant).first()
    if employee is not None:
        return employee
    user = crm.adapter().user(old.employee_key)
    record = placed(crm.adapter().employee(user)) if user is not None else None
    if record is None or record.tenant != customer.tenant:
        raise InvalidMessage(_("The CRM has no employee %(key)r.") % {"key": old.employee_key}, field="employee_key")
    return mirror_employee(record)


def _conversation(old: OldMessage, customer: Customer, employee: Employee) -> Conversation:
    """Return the thread's only conversation, which is closed, so that old messages do not appear in inboxes."""
    subject = canonical_text(f"{SOURCE}:{old.thread or f'{old.channel} {employee.key}'}")
    if len(subject) > 255:
        # Hashed rather than truncated, since truncation could make two threads equal.
        subject = f"{SOURCE}:{sha256(subject.encode()).hexdigest()}"
    existing = Conversation.objects.filter(customer=customer, employee=employee, subject=subject).first()
    if existing is not None:
        return existing
    return conversation_open(
        customer=customer,
        channel=old.channel,
        employee=employee,
        subject=subject,
        state=Conversation.State.CLOSED,
    )


def _record(old: OldMessage, conversation: Conversation, customer: Customer, employee: Employee) -> Message:
    inbound = old.direction == "inbound"
    writer, reader = (customer.name, employee.name) if inbound else (employee.name, customer.name)
    message = record_message(
        conversation=conversation,
        direction=old.direction,
        channel=old.channel,
        occurred_at=old.sent_at,
        text=old.text,
        employee_id=employee.pk,
        subject=old.subject or None,
        from_name=writer,
        to_name=reader,
        carrier_id=old.key,
        source=SOURCE,
    )
    last = conversation.last_message_at
    if last is None or old.sent_at > last:
        conversation.last_message_at = old.sent_at
        conversation.save(update_fields=["last_message_at"])
    return message

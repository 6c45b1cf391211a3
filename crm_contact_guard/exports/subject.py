"""Disclosure and erasure of one customer's data (GDPR art. 15 and 17; 個人情報保護法 第33条・第35条).

Both are recorded before they take effect. A customer's data consists of the messages in their conversations, including
those recorded under an unknown sender who was later linked to the customer.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Address, Customer, Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.hosting import database
from crm_contact_guard.privacy.erasing import erase_events, erase_messages
from crm_contact_guard.privacy.holds import not_held
from crm_contact_guard.proof.canonical import MESSAGE_PERSONAL
from crm_contact_guard.record.directory_events import customers_forgotten
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import message_open_values, record_event
from crm_contact_guard.supervision.models import Alert


@dataclass(frozen=True, kw_only=True)
class Overview:
    """How much is stored about a customer."""

    conversations: int
    messages: int
    files: int
    held: int


@dataclass(frozen=True, kw_only=True)
class Erased:
    """The result of an erasure: the number of erased messages and the number kept under a legal hold."""

    erased: int
    held: int


def find(key: str) -> Customer | None:
    """Return the customer with this key in the CRM or this ID in this app; None if there is none."""
    condition = Q(key=key)
    with suppress(ValueError):
        condition |= Q(pk=UUID(key))
    return Customer.objects.filter(condition).first()


def overview(customer: Customer) -> Overview:
    """Count what is stored about a customer, without reading any content."""
    messages = Message.objects.filter(conversation__customer=customer, salt__isnull=False)
    return Overview(
        conversations=Conversation.objects.filter(customer=customer).count(),
        messages=messages.count(),
        files=Attachment.objects.filter(message__conversation__customer=customer).exclude(stored_as="").count(),
        held=messages.count() - not_held(messages).count(),
    )


def disclose(customer: Customer, target: TextIO, *, actor: Employee | None = None) -> int:
    """Write everything said to, by and about the customer as JSON, and return the number of messages.

    Internal notes are included, because they are about the customer. Supervisors' comments are left out, because they
    are about employees. ``actor`` is None for the operator of the installation. Raises NotPermitted before anything is
    written if the actor may not answer such requests.
    """
    _refuse(customer, actor)
    _event(customer, "subject.disclosed", actor)
    head = {
        "name": customer.name,
        "crm_key": customer.key,
        "addresses": [{"kind": address.kind, "value": address.value} for address in customer.addresses.all()],
    }
    target.write('{"customer": ' + json.dumps(head, ensure_ascii=False) + ', "messages": [\n')
    count = 0
    messages = Message.objects.filter(conversation__customer=customer).order_by("occurred_at", "id")
    for message in messages.iterator(chunk_size=500):
        row: dict[str, str | None] = message_open_values(message)
        row |= {name: getattr(message, name) for name in MESSAGE_PERSONAL}
        target.write((",\n" if count else "") + json.dumps(row, ensure_ascii=False))
        count += 1
    target.write("\n]}\n")
    return count


def erase(customer: Customer, *, reason: str, actor: Employee | None = None) -> Erased:
    """Erase a customer's messages, except those under a legal hold.

    If no message is under a hold, also erase the values of the customer's events and the mirrored name and addresses.
    ``actor``: as in ``disclose``. Raises NotPermitted.
    """
    _refuse(customer, actor)
    messages = Message.objects.filter(conversation__customer=customer, salt__isnull=False)
    erased = erase_messages(messages, basis="request", actor=actor, reason=reason)
    held = messages.count()
    if not held:
        erase_events(
            Event.objects.filter(conversation__customer=customer, salt__isnull=False).exclude(
                kind__startswith="erasure."
            ),
            basis="request",
            actor=actor,
        )
        _forget(customer)
    _event(customer, "subject.erased", actor, reason=reason)
    return Erased(erased=erased, held=held)


def _refuse(customer: Customer, actor: Employee | None) -> None:
    if actor is not None and not permissions.may_answer_subjects(actor, customer.tenant):
        raise NotPermitted(_("Customers' requests about their data are answered by compliance officers."))


@database.atomic()
def _forget(customer: Customer) -> None:
    """Erase the mirrored data. The host's own row is left unchanged."""
    Address.objects.filter(Q(customer=customer) | Q(customer__merged_into=customer)).delete()
    Conversation.objects.filter(customer=customer).update(subject="")
    Alert.objects.filter(conversation__customer=customer).update(comment="")
    forgotten = list(Customer.objects.filter(Q(pk=customer.pk) | Q(merged_into=customer)).values_list("pk", flat=True))
    Customer.objects.filter(pk__in=forgotten).update(name="—", url="", active=False, quiet_hours=None)
    customers_forgotten(forgotten)


def _event(customer: Customer, kind: str, actor: Employee | None, *, reason: str = "") -> None:
    record_event(
        kind=kind,
        subject_type="customer",
        subject_id=customer.pk,
        by=actor,
        tenant=customer.tenant,
        reason=reason or None,
    )

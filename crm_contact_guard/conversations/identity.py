"""Link the conversations of unknown senders to customers of the host, and follow the host's merges.

Recorded messages keep the customer they were recorded with. Only the conversation changes, and each change is an event.
Data subject exports and legal holds therefore select messages by their conversation's customer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard import crm
from crm_contact_guard.conversations.rights import may_name_customer
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Address, Customer, Employee
from crm_contact_guard.directory.rights import may_identify_as
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event

LINKED = "conversation.linked"


def may_change(conversation: Conversation) -> bool:
    """Whether another customer can be linked: the current one is unknown to the host, was linked by hand or is gone."""
    customer = conversation.customer
    return customer.key is None or not customer.active or _first_sender(conversation) is not None


def shares_address(conversation: Conversation, customer: Customer) -> bool:
    """Whether both customers share an address, so that a message may have come from either."""
    own = conversation.customer.addresses.values("kind", "normalised")
    pairs = [Q(kind=row["kind"], normalised=row["normalised"]) for row in own]
    return bool(pairs) and customer.addresses.filter(_any(pairs)).exists()


@database.atomic()
def customer_identify(
    *, conversation: Conversation, customer: Customer, actor: Employee | None, reason: str = ""
) -> list[Conversation]:
    """Link the conversation to ``customer``. Return the conversations that moved.

    All other conversations and addresses of the same unknown sender move, too. Unassigned conversations are assigned to
    the customer's owner. A wrong link can be corrected by linking again. ``actor`` is None if the host's own code calls
    this.

    Raise NotPermitted if the employee may not make this link, and InvalidMessage if ``customer`` can't be linked.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if actor is not None and not may_name_customer(actor, conversation):
        raise _refused()
    source = conversation.customer
    if source.pk == customer.pk:
        return []
    if customer.key is None or not customer.active or customer.tenant != source.tenant:
        raise InvalidMessage(_("Choose a customer of the CRM."), field="customer")
    if actor is not None and not may_identify_as(actor, customer):
        raise _refused()
    sender = source if source.key is None else _first_sender(conversation)
    if sender is None and source.active and not shares_address(conversation, customer):
        raise InvalidMessage(
            _("This conversation is with %(customer)s, whom the CRM knows.") % {"customer": source.name},
            field="customer",
        )
    moving = (
        _conversations_of(sender, source) if sender is not None else Conversation.objects.filter(pk=conversation.pk)
    )
    moved = [_move(row, customer, actor, reason) for row in moving.select_related("customer")]
    if sender is not None:
        touched = {sender.pk, customer.pk, source.pk}
        changes.lock(touched)
        _addresses_to(sender, customer, away_from=source)
        Customer.objects.filter(pk=sender.pk).update(active=False, merged_into=customer)
        changes.customers_changed(touched)
    return moved


def _refused() -> NotPermitted:
    return NotPermitted(_("You can't say who this customer is."))


@database.atomic()
def customers_gone(customers: Sequence[Customer]) -> None:
    """Deactivate customers that the host no longer has, so that new messages don't match their addresses.

    If the host merged one of them into another customer, its conversations move to that customer. Recorded messages
    don't change.
    """
    successors = {customer.pk: _successor(customer) for customer in customers}
    changes.lock(successors)
    Customer.objects.filter(pk__in=successors).update(active=False, merged_into=None)
    for customer in customers:
        successor = successors[customer.pk]
        record_event(
            kind="customer.merged" if successor is not None else "customer.gone",
            subject_type="customer",
            subject_id=customer.pk,
            actor_type=Event.ActorType.SYSTEM,
            tenant=customer.tenant,
            data={"into": str(successor.pk) if successor is not None else None},
        )
        if successor is None:
            continue
        Customer.objects.filter(pk=customer.pk).update(merged_into=successor)
        for row in Conversation.objects.filter(customer=customer).select_related("customer"):
            _move(row, successor, None, "")
    changes.customers_changed(successors)


def _successor(customer: Customer) -> Customer | None:
    """Return the customer that the host merged this one into, if any."""
    key = crm.adapter().merged_into(customer.key or "")
    try:
        return customer_for(key) if key else None
    except LookupError:
        return None


def _move(conversation: Conversation, customer: Customer, actor: Employee | None, reason: str) -> Conversation:
    source = conversation.customer
    conversation.customer = customer
    if conversation.employee_id is None:
        conversation.employee = customer.owner
    if conversation.team_id is None:
        conversation.team = customer.team
    conversation.save(update_fields=["customer", "employee", "team"])
    record_event(
        kind=LINKED,
        subject_type="conversation",
        subject_id=conversation.pk,
        by=actor,
        conversation=conversation,
        data={"from": str(source.pk), "to": str(customer.pk)},
        reason=reason or None,
        row=conversation,
    )
    return conversation


def _first_sender(conversation: Conversation) -> Customer | None:
    """Return the unknown sender with whom the conversation began, if it was linked by hand."""
    events = Event.objects.filter(conversation=conversation, kind=LINKED).order_by("recorded_at", "pk")
    keys = [json.loads(data)["from"] for data in events.values_list("data", flat=True)]
    return Customer.objects.filter(pk__in=[UUID(key) for key in keys], key__isnull=True).first()


def _conversations_of(sender: Customer, now_with: Customer) -> QuerySet[Conversation]:
    """Return the unknown sender's conversations, including those that an earlier link moved."""
    linked = Event.objects.filter(kind=LINKED, data__contains=f'"from":"{sender.pk}"').values("conversation")
    return Conversation.objects.filter(Q(customer=sender) | Q(customer=now_with, pk__in=linked))


def _addresses_to(sender: Customer, customer: Customer, *, away_from: Customer) -> None:
    """Copy the unknown sender's addresses to the customer, including opt-outs such as STOP."""
    for address in sender.addresses.all():
        if away_from.pk != sender.pk:
            away_from.addresses.filter(kind=address.kind, normalised=address.normalised, learnt=True).delete()
        own, _new = Address.objects.get_or_create(
            customer=customer,
            kind=address.kind,
            normalised=address.normalised,
            defaults={"value": address.value, "position": 1000, "learnt": True},
        )
        if address.opted_out_at is not None and own.opted_out_at is None:
            Address.objects.filter(pk=own.pk).update(
                opted_out_at=address.opted_out_at, opted_out_by=address.opted_out_by
            )


def _any(pairs: list[Q]) -> Q:
    joined = Q()
    for pair in pairs:
        joined |= pair
    return joined

"""Find the sender and the conversation of an inbound message."""

from __future__ import annotations

import os
from collections.abc import Sequence

from django.utils.translation import gettext as _

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, InboundMessage
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.conversations.holders import Holder, holders
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.addresses import mask, name_of, normalise
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation


def named_in(inbound: InboundMessage) -> Conversation | None:
    """Return the conversation that the message's reply token belongs to, or else that of the messages it refers to."""
    return lifecycle.by_reply_token(inbound.reply_tokens) or lifecycle.by_references(inbound.references)


def conversation_of(inbound: InboundMessage, matches: Sequence[Holder]) -> Conversation:
    """Return the sender's conversation.

    ``matches`` are the customers with the sender's address, as returned by ``having``.
    """
    carrier = registry.channel(inbound.channel)
    return _conversation(carrier, inbound.from_address, inbound.from_name, inbound.subject, matches)


def having(carrier: Channel, address: str) -> list[Holder]:
    """Return all customers who have or had this address. Run one query."""
    return holders(carrier.address_kind, normalise(carrier.address_kind, address))


def conversation_with(carrier: Channel, address: str) -> Conversation:
    """Return the latest open conversation of the customer with this address, or start one.

    A conversation with an unknown sender is unassigned.
    """
    return _conversation(carrier, address, "", "", having(carrier, address))


def customer_of(carrier: Channel, address: str, *, name: str = "") -> Customer:
    """Return the customer with this address. Add an unknown sender as a new customer."""
    holder = _choose(having(carrier, address))
    return holder.customer if holder is not None else _unknown_sender(carrier, address, name)


def _conversation(carrier: Channel, address: str, name: str, subject: str, matches: Sequence[Holder]) -> Conversation:
    # Look again, because another message from an unknown sender may have created the customer since ``matches`` was
    # queried.
    holder = _choose(matches) or _choose(having(carrier, address))
    if holder is not None and holder.conversation is not None:
        return holder.conversation
    customer = holder.customer if holder is not None else _unknown_sender(carrier, address, name)
    return lifecycle.conversation_open(customer=customer, channel=carrier.alias, subject=subject)


def _choose(matches: Sequence[Holder]) -> Holder | None:
    """Choose among customers who share an address. Prefer customers of the host, then the latest contact.

    If the host's customers in several tenants share the address, only an unknown sender without a tenant matches.
    """
    active = [holder for holder in matches if holder.customer.active and not holder.dropped]
    if len({holder.customer.tenant for holder in active if holder.customer.key is not None}) > 1:
        # The tenant is ambiguous; a wrong guess would disclose the message to another tenant.
        active = [holder for holder in active if holder.customer.key is None and not holder.customer.tenant]
    return max(
        active,
        key=lambda holder: (holder.customer.key is not None, holder.talked_at is not None, holder.talked_at or 0),
        default=None,
    )


@database.atomic()
def _unknown_sender(carrier: Channel, address: str, name: str) -> Customer:
    """Create a customer without a key, who can be linked to a customer of the host later.

    If the sender has no name, the masked address serves as the name. Addresses within a name are masked as well.
    """
    shown = name_of(name) or mask(carrier.address_kind, address) or _("Unknown")
    customer = Customer.objects.create(name=shown[:255], key=None, salt=os.urandom(16))
    normalised = normalise(carrier.address_kind, address)
    if normalised:
        Address.objects.create(customer=customer, kind=carrier.address_kind, value=address[:320], normalised=normalised)
    changes.customers_changed([customer.pk])
    return customer


def is_shared(address: Address) -> bool:
    """Whether another customer has the same address, so that a message from it may come from either."""
    others = Address.objects.filter(
        kind=address.kind, normalised=address.normalised, dropped=False, customer__active=True
    )
    return others.filter(customer__key__isnull=False).exclude(customer=address.customer_id).exists()

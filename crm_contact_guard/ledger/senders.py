"""Who wrote in, and into which conversation it belongs."""

from __future__ import annotations

from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, InboundMessage
from crm_contact_guard.directory.addresses import mask, name_of, normalise
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.ledger import conversations
from crm_contact_guard.ledger.models import Conversation


def conversation_of(inbound: InboundMessage) -> Conversation:
    """The conversation our own token names, else that of the messages it refers to, else the sender's."""
    found = conversations.by_reply_token(inbound.reply_tokens) or conversations.by_references(inbound.references)
    if found is not None:
        return found
    return conversation_with(
        registry.channel(inbound.channel), inbound.from_address, name=inbound.from_name, subject=inbound.subject
    )


def conversation_with(carrier: Channel, address: str, *, name: str = "", subject: str = "") -> Conversation:
    """The latest open conversation of whoever has this address, or a new one; an unknown sender's is unassigned."""
    customer = customer_of(carrier, address, name=name)
    return conversations.latest_open(customer) or conversations.conversation_open(
        customer=customer, channel=carrier.alias, subject=subject
    )


def customer_of(carrier: Channel, address: str, *, name: str = "") -> Customer:
    """The customer with this address. Two may share it: one the host knows comes first, then the one talked to last.

    Where customers of several tenants do, it is nobody's: a stranger's, of no tenant.
    A stranger becomes a customer without a key, to be linked later. Their name never gives the address away.
    """
    normalised = normalise(carrier.address_kind, address)[:320]
    matches = Address.objects.filter(
        kind=carrier.address_kind, normalised=normalised, dropped=False, customer__active=True
    )
    if matches.order_by().values("customer__tenant").filter(customer__key__isnull=False).distinct().count() > 1:
        # Nothing tells for which tenant this is, and a guess could show it to the wrong one.
        matches = matches.filter(customer__key=None, customer__tenant="")
    known = (
        matches.select_related("customer")
        .order_by(
            Case(When(customer__key=None, then=Value(1)), default=Value(0)),
            F("customer__conversations__last_message_at").desc(nulls_last=True),
        )
        .first()
        if normalised
        else None
    )
    if known is not None:
        return known.customer
    shown = name_of(name) or mask(carrier.address_kind, address) or _("Unknown")
    customer = Customer.objects.create(name=shown[:255], key=None)
    if normalised:
        Address.objects.create(customer=customer, kind=carrier.address_kind, value=address[:320], normalised=normalised)
    return customer


def is_shared(address: Address) -> bool:
    """Whether another customer of ours has the same address, so that what comes from it may be from either."""
    others = Address.objects.filter(
        kind=address.kind, normalised=address.normalised, dropped=False, customer__active=True
    )
    return others.filter(customer__key__isnull=False).exclude(customer=address.customer_id).exists()

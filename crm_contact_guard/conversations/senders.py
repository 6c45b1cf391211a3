"""Who wrote in, and into which conversation it belongs."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, InboundMessage
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.conversations.holders import Holder, holders
from crm_contact_guard.directory.addresses import mask, name_of, normalise
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.record.models import Conversation


def named_in(inbound: InboundMessage) -> Conversation | None:
    """The conversation our own token names, else that of the messages it refers to."""
    return lifecycle.by_reply_token(inbound.reply_tokens) or lifecycle.by_references(inbound.references)


def conversation_of(inbound: InboundMessage, known: Sequence[Holder]) -> Conversation:
    """The sender's conversation. ``known``: who has the sender's address, as ``having`` told."""
    carrier = registry.channel(inbound.channel)
    return _conversation(carrier, inbound.from_address, inbound.from_name, inbound.subject, known)


def having(carrier: Channel, address: str) -> list[Holder]:
    """All customers who have, or had, this address. One query."""
    return holders(carrier.address_kind, normalise(carrier.address_kind, address)[:320])


def conversation_with(carrier: Channel, address: str) -> Conversation:
    """The latest open conversation of whoever has this address, or a new one; an unknown sender's is unassigned."""
    return _conversation(carrier, address, "", "", having(carrier, address))


def customer_of(carrier: Channel, address: str, *, name: str = "") -> Customer:
    """The customer with this address; a stranger becomes one."""
    holder = _meant(having(carrier, address))
    return holder.customer if holder is not None else _stranger(carrier, address, name)


def _conversation(carrier: Channel, address: str, name: str, subject: str, known: Sequence[Holder]) -> Conversation:
    # A stranger's other message may have been recorded since ``known`` was asked, and made them a customer.
    holder = _meant(known) or _meant(having(carrier, address))
    if holder is not None and holder.conversation is not None:
        return holder.conversation
    customer = holder.customer if holder is not None else _stranger(carrier, address, name)
    return lifecycle.conversation_open(customer=customer, channel=carrier.alias, subject=subject)


def _meant(known: Sequence[Holder]) -> Holder | None:
    """Whom an address stands for. Two may share it: one the host knows comes first, then the one talked to last.

    Where customers of several tenants do, it is nobody's: a stranger's, of no tenant.
    """
    living = [holder for holder in known if holder.customer.active and not holder.dropped]
    if len({holder.customer.tenant for holder in living if holder.customer.key is not None}) > 1:
        # Nothing tells for which tenant this is, and a guess could show it to the wrong one.
        living = [holder for holder in living if holder.customer.key is None and not holder.customer.tenant]
    return max(
        living,
        key=lambda holder: (holder.customer.key is not None, holder.talked_at is not None, holder.talked_at or 0),
        default=None,
    )


def _stranger(carrier: Channel, address: str, name: str) -> Customer:
    """A customer without a key, to be identified later. Their name never gives the address away."""
    shown = name_of(name) or mask(carrier.address_kind, address) or _("Unknown")
    customer = Customer.objects.create(name=shown[:255], key=None)
    normalised = normalise(carrier.address_kind, address)[:320]
    if normalised:
        Address.objects.create(customer=customer, kind=carrier.address_kind, value=address[:320], normalised=normalised)
    return customer


def is_shared(address: Address) -> bool:
    """Whether another customer of ours has the same address, so that what comes from it may be from either."""
    others = Address.objects.filter(
        kind=address.kind, normalised=address.normalised, dropped=False, customer__active=True
    )
    return others.filter(customer__key__isnull=False).exclude(customer=address.customer_id).exists()

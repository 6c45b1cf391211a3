"""Look up the names of senders whose carrier doesn't include them in messages.

A task asks the carrier, so that webhooks don't have to wait.
"""

from __future__ import annotations

from uuid import UUID

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.directory.addresses import is_masked, name_of
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.dispatch import later


def ask_later(carrier: Channel, customer: Customer) -> None:
    """Schedule a lookup of an unknown sender's name after the commit, if the carrier can look up names."""
    if _is_missing(carrier, customer):
        later("learn_name", str(customer.pk), carrier.alias)


def learn(customer_id: UUID, alias: str) -> None:
    """Ask the carrier for the sender's name and store it. Do nothing if the sender has a name by now.

    Raise ChannelError if the lookup fails.
    """
    carrier = registry.channel(alias)
    customer = Customer.objects.filter(pk=customer_id, active=True).first()
    if customer is None or not _is_missing(carrier, customer):
        return
    address = customer.addresses.filter(kind=carrier.address_kind, dropped=False).first()
    name = name_of(carrier.name_of(address.value))[:255] if address is not None else ""
    if name:
        Customer.objects.filter(pk=customer.pk, key=None, name=customer.name).update(name=name)


def _is_missing(carrier: Channel, customer: Customer) -> bool:
    # At first, an unknown sender's name is the masked address.
    return carrier.supports_names and customer.key is None and is_masked(customer.name)

"""Opt-outs of addresses (STOP, unfollow, unsubscribe, bounce, complaint) and their revocation.

An opt-out belongs to the address, not to a customer, because carriers only know the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel, ContactEvent, ContactKind
from crm_contact_guard.conversations import lifecycle, names, senders
from crm_contact_guard.conversations.holders import Holder
from crm_contact_guard.delivery import outbox
from crm_contact_guard.directory import changes
from crm_contact_guard.directory.addresses import normalise
from crm_contact_guard.directory.models import Address, Customer
from crm_contact_guard.exceptions import ChannelError, InvalidMessage
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event

#: Descriptions of the reasons for which an address is opted out.
REASONS = {
    ContactKind.STOP.value: gettext_lazy("opted out of messages"),
    ContactKind.UNFOLLOW.value: gettext_lazy("blocked or left the account"),
    ContactKind.UNSUBSCRIBE.value: gettext_lazy("unsubscribed"),
    ContactKind.BOUNCE.value: gettext_lazy("does not exist or does not accept messages"),
    ContactKind.COMPLAINT.value: gettext_lazy("reported a message as unwanted"),
}


def contact_changed(event: ContactEvent) -> int:
    """Apply an opt-out or its revocation to an address and record it, within the caller's transaction.

    Return how many customers have the address. If no customer has it, the event's kind decides:

    * An event that allows contact, such as a follow, adds its sender as a customer, who can be identified later.
    * Any other event is recorded for the channel instead of an address.

    An event that anybody could forge, or that has the carrier ID of a message, is ignored unless it matches the record.
    """
    carrier = registry.channel(event.channel)
    normalised = normalise(carrier.address_kind, event.address)
    if event.is_forgeable or event.carrier_id:
        normalised = _proven(carrier, event, normalised)
        if not normalised:
            return 0
    rows = Address.objects.filter(kind=carrier.address_kind, normalised=normalised).select_related("customer")
    # Ordered by customer ID, the order in which other code locks customers, too.
    addresses = list(rows.order_by("customer_id")) if normalised else []
    if not addresses and event.kind.allows and normalised:
        addresses = list(
            senders.customer_of(carrier, event.address, name=event.name).addresses.select_related("customer")
        )
    for address in addresses:
        if _supersedes(address, event):
            _note(address, event)
        _record(event, address)
        if event.kind.allows:
            names.ask_later(carrier, address.customer)
    if not addresses:
        _record(event, None)
    return len(addresses)


def wrote(carrier: Channel, address: str, at: datetime, known: Sequence[Holder]) -> None:
    """Lift a bounced address's opt-out when a later message arrives from it. Opt-outs for other reasons stay in force.

    ``known`` are the holders of the address, as returned by ``senders.having``.
    """
    if all(holder.opted_out_by != ContactKind.BOUNCE for holder in known):
        return
    normalised = normalise(carrier.address_kind, address)
    rows = Address.objects.filter(
        kind=carrier.address_kind,
        normalised=normalised,
        opted_out_by=ContactKind.BOUNCE.value,
        opted_out_at__lt=at,
    )
    for row in rows.select_related("customer").order_by("customer_id"):
        changes.lock([row.customer_id])
        Address.objects.filter(pk=row.pk).update(opted_out_at=None, opted_out_by="")
        changes.customers_changed([row.customer_id])
        record_event(
            kind="contact.reached",
            subject_type="address",
            subject_id=row.pk,
            actor_type=Event.ActorType.CUSTOMER,
            conversation=lifecycle.latest_open(row.customer),
            tenant=row.customer.tenant,
            data={"channel": carrier.alias},
        )


@database.atomic()
def refused(message: Message, error: ChannelError) -> None:
    """Record that a carrier rejected a message because its address was opted out or does not exist."""
    contact_changed(
        ContactEvent(
            channel=message.channel,
            event_id=f"refused:{message.pk}",
            address=message.to_address or "",
            kind=ContactKind(error.contact),
            occurred_at=timezone.now(),
            detail=error.detail,
        )
    )


def address_for(customer: Customer, carrier: Channel) -> Address | None:
    """Return the customer's first address for the channel that is not opted out, if any."""
    return customer.addresses.filter(kind=carrier.address_kind, opted_out_at__isnull=True, dropped=False).first()


def address_to_write_to(customer: Customer, carrier: Channel) -> str:
    """Return the address from ``address_for`` as text, or an empty string if the channel doesn't need an address.

    Raise InvalidMessage (field ``channel``), which gives the reason, if there is no such address.
    """
    if not carrier.needs_address:
        return ""
    address = address_for(customer, carrier)
    if address is None:
        raise InvalidMessage(refusal(customer, carrier), field="channel")
    return address.value


def refusal(customer: Customer, carrier: Channel) -> str:
    """Return the reason why the customer can't receive messages over the channel, or an empty string if they can."""
    if not carrier.needs_address or address_for(customer, carrier) is not None:
        return ""
    own = customer.addresses.filter(kind=carrier.address_kind, dropped=False)
    stopped = own.order_by("-opted_out_at").first()
    if stopped is None:
        return _("%(customer)s has no address for %(channel)s.") % {
            "customer": customer.name,
            "channel": carrier.verbose_name,
        }
    return _("%(customer)s can't receive messages by %(channel)s: the address %(reason)s.") % {
        "customer": customer.name,
        "channel": carrier.verbose_name,
        "reason": REASONS.get(stopped.opted_out_by, _("was opted out")),
    }


def withdrawn(message: Message, carrier: Channel) -> str:
    """Return the opt-out because of which a waiting message must no longer be sent, or an empty string."""
    if not carrier.needs_address or not message.to_address:
        return ""
    stopped = message.conversation.customer.addresses.filter(
        kind=carrier.address_kind,
        normalised=normalise(carrier.address_kind, message.to_address),
        opted_out_at__isnull=False,
    ).first()
    return f"opted out: {stopped.opted_out_by or 'unknown'}" if stopped is not None else ""


def _proven(carrier: Channel, event: ContactEvent, normalised: str) -> str:
    """Return the normalised address that the event concerns if the event matches our record, or an empty string."""
    message = outbox.by_carrier_id(carrier.alias, event.carrier_id) if event.carrier_id else None
    if message is not None:
        sent_to = normalise(carrier.address_kind, message.to_address or "")
        return sent_to if normalised in ("", sent_to) else ""
    conversation = lifecycle.by_reply_token(event.reply_tokens)
    if conversation is None:
        return ""
    own = conversation.customer.addresses.filter(kind=carrier.address_kind, dropped=False)
    held = set(own.values_list("normalised", flat=True))
    if not normalised and len(held) == 1:
        return held.pop()
    return normalised if normalised in held else ""


def _supersedes(address: Address, event: ContactEvent) -> bool:
    """Whether the event applies. Events may arrive late and out of order, so the newest one wins.

    A bounce never replaces an opt-out.
    """
    opted_out_at = address.opted_out_at
    if event.kind.allows:
        return opted_out_at is not None and event.occurred_at >= opted_out_at
    if opted_out_at is None:
        return not _allowed_since(address, event.occurred_at)
    return address.opted_out_by == ContactKind.BOUNCE and event.kind is not ContactKind.BOUNCE


def _allowed_since(address: Address, at: datetime) -> bool:
    allowing = [f"contact.{kind.value}" for kind in ContactKind if kind.allows]
    return Event.objects.filter(
        subject_type="address", subject_id=str(address.pk), kind__in=allowing, occurred_at__gt=at
    ).exists()


def _note(address: Address, event: ContactEvent) -> None:
    changes.lock([address.customer_id])
    out = None if event.kind.allows else event.occurred_at
    Address.objects.filter(pk=address.pk).update(opted_out_at=out, opted_out_by="" if out is None else event.kind.value)
    changes.customers_changed([address.customer_id])


def _record(event: ContactEvent, address: Address | None) -> None:
    by_customer = event.kind not in (ContactKind.BOUNCE, ContactKind.COMPLAINT)
    record_event(
        kind=f"contact.{event.kind.value}",
        subject_type="address" if address is not None else "channel",
        subject_id=address.pk if address is not None else event.channel,
        actor_type=Event.ActorType.CUSTOMER if by_customer else Event.ActorType.CARRIER,
        conversation=lifecycle.latest_open(address.customer) if address is not None else None,
        tenant=address.customer.tenant if address is not None else "",
        occurred_at=event.occurred_at,
        data={"channel": event.channel},
        details={"address": event.address, **event.detail},
    )

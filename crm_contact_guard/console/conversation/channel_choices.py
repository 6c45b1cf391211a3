"""The channels available for a conversation, and which of them is the web chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.delivery import consent
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.record.models import Conversation


@dataclass(frozen=True)
class Choice:
    """A channel that the employee may choose. ``quick``: users expect Enter to send a message, as in any chat."""

    alias: str
    label: Any
    quick: bool
    takes_subject: bool
    is_chat: bool


def webchat() -> Channel | None:
    """Return the first configured channel whose messages are delivered by our own page, or None."""
    channels = (registry.channel(alias) for alias in registry.aliases())
    return next((channel for channel in channels if channel.on_our_page), None)


def on_our_page(alias: str) -> bool:
    """Whether the channel is the web chat."""
    return alias in registry.aliases() and registry.channel(alias).on_our_page


def choices(customer: Customer) -> list[Choice]:
    """Return the channels that reach the customer."""
    kinds = {address.kind for address in customer.addresses.all() if address.opted_out_at is None}
    channels = [registry.channel(alias) for alias in registry.aliases()]
    return [
        Choice(
            alias=channel.alias,
            label=channel.verbose_name,
            quick=not channel.supports_subject,
            takes_subject=channel.supports_subject,
            is_chat=channel.on_our_page,
        )
        for channel in channels
        if channel.supports_text and (not channel.needs_address or channel.address_kind in kinds)
    ]


def refused(customer: Customer) -> list[str]:
    """Return the reasons why channels may not be used although the customer has an address for them."""
    known = [address for address in customer.addresses.all() if not address.dropped]
    stopped = {address.kind for address in known if address.opted_out_at is not None}
    channels = [registry.channel(alias) for alias in registry.aliases()]
    words = [
        consent.refusal(customer, channel)
        for channel in channels
        if channel.supports_text and channel.address_kind in stopped
    ]
    return [one for one in dict.fromkeys(words) if one]


def usual(conversation: Conversation, offered: list[Choice]) -> str:
    """Return the conversation's last channel if it is still offered, else the first channel offered, else ""."""
    aliases = [choice.alias for choice in offered]
    if conversation.channel in aliases:
        return conversation.channel
    return aliases[0] if aliases else ""


def label(alias: str) -> Any:
    """Return a channel's human-readable name, or its alias if the channel is no longer in the settings."""
    return registry.channel(alias).verbose_name if alias in registry.aliases() else alias

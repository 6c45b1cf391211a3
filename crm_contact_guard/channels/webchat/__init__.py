"""Web chat. The customer uses a page of the console, so sending a message only means that the page may show it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.channels.base import Channel, DeliveryStatus, OutboundMessage, Receipt

__all__ = ["WebChatChannel"]


class WebChatChannel(Channel):
    """A chat that the customer opens with an expiring link. Needs neither an address nor a carrier."""

    address_kind = AddressKind("chat", _("Web chat"))
    on_our_page = True
    verbose_name = _("Web chat")
    needs_address = False
    supports_idempotency = True
    supports_status = True
    supports_files = True
    max_length = 5000
    max_files = 5

    def send(self, message: OutboundMessage) -> Receipt:
        """Report the message as sent. The customer's page shows recorded messages the next time it polls."""
        return Receipt(status=DeliveryStatus.SENT, carrier_id=message.message_id)

"""Web chat. The customer's side is a page of the console, so sending means that the page may show the message."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.channels.base import Channel, DeliveryStatus, OutboundMessage, Receipt

__all__ = ["WebChatChannel"]


class WebChatChannel(Channel):
    """The customer opens an expiring link. No address and no carrier are needed."""

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
        """Nothing to send: the customer's page shows recorded messages the next time it polls."""
        return Receipt(status=DeliveryStatus.SENT, carrier_id=message.message_id)

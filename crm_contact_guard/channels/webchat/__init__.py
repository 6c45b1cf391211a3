"""Web chat: the customer's side is a page of ours (console), so handing over means that the page may show it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.base import Channel, DeliveryStatus, OutboundMessage, Receipt

__all__ = ["WebChatChannel"]


class WebChatChannel(Channel):
    """The customer opens a signed, expiring link; no address and no carrier are needed."""

    address_kind = "chat"
    verbose_name = _("Web chat")
    needs_address = False
    supports_idempotency = True
    supports_status = True
    supports_files = True
    max_length = 5000
    max_files = 5

    def send(self, message: OutboundMessage) -> Receipt:
        """The record is the chat's store: once recorded, the customer's page shows the message at its next look."""
        return Receipt(status=DeliveryStatus.SENT, carrier_id=message.message_id)

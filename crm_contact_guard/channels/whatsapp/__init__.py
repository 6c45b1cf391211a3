"""WhatsApp by Meta's Cloud API, over the library ``pywa`` (extra ``whatsapp``), imported on first use."""

from crm_contact_guard.channels.whatsapp.channel import WhatsAppChannel

__all__ = ["WhatsAppChannel"]

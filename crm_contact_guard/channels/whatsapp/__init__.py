"""WhatsApp by Meta's Cloud API, using the library ``pywa`` (extra ``whatsapp``), which is imported on first use."""

from crm_contact_guard.channels.whatsapp.channel import WhatsAppChannel

__all__ = ["WhatsAppChannel"]

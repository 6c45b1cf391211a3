"""WhatsApp through Meta's Cloud API. The library ``pywa`` (extra ``whatsapp``) is imported on first use."""

from crm_contact_guard.channels.whatsapp.channel import WhatsAppChannel

__all__ = ["WhatsAppChannel"]

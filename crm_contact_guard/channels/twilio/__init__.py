"""SMS, WhatsApp and calls through Twilio. Its library ``twilio`` (extra ``twilio``) is imported on first use."""

from crm_contact_guard.channels.twilio.messages import SmsChannel, WhatsAppChannel
from crm_contact_guard.channels.twilio.voice import VoiceChannel

__all__ = ["SmsChannel", "VoiceChannel", "WhatsAppChannel"]

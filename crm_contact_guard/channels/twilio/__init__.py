"""SMS, WhatsApp and calls by Twilio, using its library ``twilio`` (extra ``twilio``), imported on first use."""

from crm_contact_guard.channels.twilio.messages import SmsChannel, WhatsAppChannel
from crm_contact_guard.channels.twilio.voice import VoiceChannel

__all__ = ["SmsChannel", "VoiceChannel", "WhatsAppChannel"]

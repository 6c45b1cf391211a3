"""LINE Official Account, using LINE's library ``line-bot-sdk`` (extra ``line``), which is imported on first use."""

from crm_contact_guard.channels.line.channel import LineChannel

__all__ = ["LineChannel"]

"""LINE Official Account over LINE's own library ``line-bot-sdk`` (extra ``line``), imported on first use."""

from crm_contact_guard.channels.line.channel import LineChannel

__all__ = ["LineChannel"]

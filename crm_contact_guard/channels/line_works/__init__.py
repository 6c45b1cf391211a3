"""LINE WORKS bot, using API 2.0 (extra ``line-works``, whose libraries are imported on first use)."""

from crm_contact_guard.channels.line_works.channel import LineWorksChannel

__all__ = ["LineWorksChannel"]

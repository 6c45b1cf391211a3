"""LINE WORKS bot over its API 2.0 by plain HTTP (extra ``line-works``); its libraries are imported on first use."""

from crm_contact_guard.channels.line_works.channel import LineWorksChannel

__all__ = ["LineWorksChannel"]

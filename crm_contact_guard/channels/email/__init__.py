"""Email, sent by SMTP and received by an SMTP/LMTP server (``contact_guard_receive_mail``)."""

from crm_contact_guard.channels.email.channel import EmailChannel

__all__ = ["EmailChannel"]

"""SMTP/LMTP server for inbound email, which replies once the email is recorded.

* 250 means that the email is committed.
* 451 means that the database or storage is unavailable, so the sender should retry. An email's content never leads to
  this, since one that can't be parsed is recorded as it came.
* 552 means that the email is too large. An event is recorded.
* 550 means that the recipient is unknown, since this is not a relay.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections
from django.utils import timezone

from crm_contact_guard.channels.base import InboundMessage, UnknownEvent
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.hosting import logs
from crm_contact_guard.intake.events import take
from crm_contact_guard.intake.mail_data import WholeData

logger = logs.logger(__name__)

_SENDER = re.compile(r"<([^<>]{1,320})>")


class MailHandler:
    """aiosmtpd's hooks. Recording blocks on the database and therefore runs in a thread."""

    def __init__(self, channel: EmailChannel) -> None:
        self.channel = channel

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if not self.channel.accepts(address):
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await asyncio.to_thread(self.record, envelope)
        # LMTP replies once for each recipient (RFC 2033 §4.2).
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if isinstance(server, LMTP) else answer

    def record(self, envelope: Envelope) -> str:
        """Record the email, and return the SMTP reply."""
        close_old_connections()
        try:
            content = envelope.original_content or b""
            events = read_mail(
                content,
                alias=self.channel.alias,
                envelope_from=envelope.mail_from or "",
                envelope_to=envelope.rcpt_tos,
            )
            new = [take(event) for event in events]
            known = isinstance(events[0], InboundMessage) and not any(new)
            return f"250 2.0.0 {'Already recorded' if known else 'Recorded'}"
        except Exception:
            logger.exception("A mail could not be recorded; the sender was asked to retry")
            return "451 4.3.0 Could not be recorded now, please try again"
        finally:
            close_old_connections()

    def record_refusal(self, envelope: Envelope, sender: str, reason: str) -> None:
        """Record that an email was refused for its size, with its sender and the recipients known so far."""
        close_old_connections()
        take(
            UnknownEvent(
                channel=self.channel.alias,
                event_id=f"refused-{uuid7()}",
                occurred_at=timezone.now(),
                payload=f"from {sender or '?'} to {', '.join(envelope.rcpt_tos) or '?'}",
                reason=reason,
            )
        )
        close_old_connections()


class _Refusals:
    """Mixin that detects when the server refuses an email for its size, for which aiosmtpd calls no hook."""

    event_handler: MailHandler
    envelope: Envelope | None
    _mail_argument = ""

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        # An email that declares its size is refused before the envelope contains the sender.
        self._mail_argument = arg or ""
        await super().smtp_MAIL(arg)  # type: ignore[misc]

    async def push(self, status: Any) -> None:
        line = status if isinstance(status, str) else status.decode("ascii", "replace")
        if line.startswith("552") and self.envelope is not None:
            match = _SENDER.search(self._mail_argument)
            sender = self.envelope.mail_from or (match[1] if match else "")
            await asyncio.to_thread(self.event_handler.record_refusal, self.envelope, sender, line)
            if isinstance(self, LMTP):
                status = "\r\n".join([line] * max(1, len(self.envelope.rcpt_tos)))
        await super().push(status)  # type: ignore[misc]


class _SMTPServer(_Refusals, WholeData, SMTP):
    """SMTP (RFC 5321)."""


class _LMTPServer(_Refusals, WholeData, LMTP):
    """LMTP (RFC 2033)."""


class _MailController(Controller):
    server_class: type[SMTP] = _SMTPServer

    def factory(self) -> SMTP:
        return self.server_class(self.handler, **self.SMTP_kwargs)


class _LMTPController(_MailController):
    server_class = _LMTPServer


def controller(channel: EmailChannel, *, host: str, port: int, lmtp: bool = False) -> Controller:
    """Return a server that runs in its own thread. Call its ``start()`` and ``stop()``."""
    kind = _LMTPController if lmtp else _MailController
    return kind(
        MailHandler(channel),
        hostname=host,
        port=port,
        data_size_limit=settings.MAX_INBOUND_BYTES,
        enable_SMTPUTF8=True,
        ident="contact guard",
    )

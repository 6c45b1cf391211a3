"""A real SMTP server for tests: it takes every mail and keeps it."""

from __future__ import annotations

import queue
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.ports import free_port


class Sink:
    """``next_mail`` gives the mails in the order of their arrival."""

    def __init__(self) -> None:
        self.port = free_port()
        self._mails: queue.Queue[EmailMessage] = queue.Queue()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        mail["X-Envelope-From"] = envelope.mail_from or ""
        self._mails.put(mail)
        return "250 2.0.0 Taken"

    def __enter__(self) -> Sink:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def next_mail(self, seconds: float = 10) -> EmailMessage:
        return self._mails.get(timeout=seconds)

    @property
    def is_empty(self) -> bool:
        return self._mails.empty()

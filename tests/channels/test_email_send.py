"""Sending e-mail by SMTP to a real server: replies, files, and the host's mailers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import django
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from crm_contact_guard.channels.base import OutboundFile, OutboundMessage
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.channels.email.esp import EspChannel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from tests import factories
from tests.channels.cases import SendCases
from tests.channels.esp_server import KEY, Postmark
from tests.flows.conftest import host_mail
from tests.ports import free_port

pytestmark = pytest.mark.django_db


class MailServer:
    """Accepts mails; replies in ``failures`` are used first, one per recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.failures: list[str] = []
        self.port = free_port()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.failures:
            return self.failures.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        mail["X-Envelope-From"] = envelope.mail_from or ""
        self.mails.append(mail)
        return "250 2.0.0 Taken"


class TestSmtp(SendCases):
    backend = "crm_contact_guard.channels.email.EmailChannel"
    customer_address = "hanako@mail.example"
    says_when_to_come_back = False

    @pytest.fixture
    def carrier(self) -> Iterator[MailServer]:
        self.server = MailServer()
        controller = Controller(self.server, hostname="127.0.0.1", port=self.server.port)
        controller.start()
        yield self.server
        controller.stop()

    def options(self) -> dict[str, Any]:
        return {
            "FROM": "Hotel Kaede <guests@kaede.example>",
            "REPLY_TO": "reply@kaede.example",
            "HOST": "127.0.0.1",
            "PORT": self.server.port,
        }

    def fail_temporarily(self) -> None:
        self.server.failures.append("451 4.3.0 Try again later")

    def fail_permanently(self) -> None:
        self.server.failures.append("550 5.1.1 No such user")

    def be_busy(self) -> None:
        self.server.failures.append("450 4.7.1 Too many mails")

    def arrived(self) -> list[str]:
        return [str(mail.get_body(("plain",)).get_content()) for mail in self.server.mails]  # type: ignore[union-attr]

    def test_files_are_attached_with_safe_names(self) -> None:
        claim = outbox.claim(self.written().pk, idempotent=False)
        assert claim is not None
        files = tuple(
            OutboundFile(name=name, content_type=kind, size=len(content), sha256="", open=lambda c=content: BytesIO(c))
            for name, kind, content in (
                ("../請求書\r\nX-Evil: 1.pdf", "application/pdf", b"%PDF-1.7"),
                ("note.txt", "text/plain", b"\xff not UTF-8"),
                ("mail.eml", "message/rfc822", b"Subject: x\r\n\r\nhi"),
            )
        )

        self.channel.send(replace(attempts.outbound(claim), files=files))

        (mail,) = self.server.mails
        assert mail["X-Evil"] is None
        assert [part.get_filename() for part in mail.iter_attachments()] == [
            "請求書X-Evil: 1.pdf", "note.txt", "mail.eml",
        ]  # fmt: skip
        pdf, note, _ = mail.iter_attachments()
        assert pdf.get_payload(decode=True) == b"%PDF-1.7"
        assert note.get_payload(decode=True) == b"\xff not UTF-8"

    @pytest.mark.parametrize("name", ["to_address", "in_reply_to"])
    def test_a_message_that_can_not_be_built_ends_as_failed(self, name: str) -> None:
        """A line break in a header is met again each time; nothing is sent."""
        message = self.written()
        claim = outbox.claim(message.pk, idempotent=False)
        assert claim is not None
        order = replace(attempts.outbound(claim), **{name: "a@b.example\r\nBcc: x@evil.example"})

        with pytest.raises(ChannelError, match=r"can't be built: (BadHeader|Value)Error") as refused:
            self.channel.send(order)
        assert (refused.value.permanent, refused.value.uncertain) == (True, False)
        assert not self.server.mails

    def test_a_line_break_in_a_person_s_name_stays_out_of_the_headers(self) -> None:
        claim = outbox.claim(self.written().pk, idempotent=False)
        assert claim is not None

        self.channel.send(replace(attempts.outbound(claim), from_name="Aoi\r\nBcc: x@evil.example", to_name="H\nX: y"))

        assert (self.server.mails[0]["Bcc"], self.server.mails[0]["X"]) == (None, None)

    def test_a_mailer_of_the_host_can_be_used(self, settings: Any) -> None:
        for name, value in host_mail(self.server.port).items():
            setattr(settings, name, value)
        claim = outbox.claim(self.written("By the host's mailer").pk, idempotent=False)
        assert claim is not None
        options = {name: value for name, value in self.options().items() if name not in ("HOST", "PORT")}

        EmailChannel(self.alias, {**options, "MAILER": "default"}).send(attempts.outbound(claim))

        assert "By the host's mailer" in self.arrived()[0]
        with pytest.raises(ConfigurationError, match="nosuch"):
            EmailChannel(self.alias, {**options, "MAILER": "nosuch"}).send(attempts.outbound(claim))


def test_a_mailer_of_the_host_can_be_an_email_service(settings: Any) -> None:
    backend = "anymail.backends.postmark.EmailBackend"
    options = {"FROM": "guests@kaede.example", "ESP": "postmark", "MAILER": "default", "WEBHOOK_SECRET": "hook:s3cret"}
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    with Postmark().running() as server:
        given = {"server_token": KEY, "api_url": server.url}
        if django.VERSION >= (6, 1):
            settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": given}}
        else:
            settings.EMAIL_BACKEND = backend
            settings.ANYMAIL = {f"POSTMARK_{name.upper()}": value for name, value in given.items()}
        channel = EspChannel("email", options)
        assert not list(channel.check())
        message = OutboundMessage(
            message_id="0199", to_name="Hanako", to_address="hanako@mail.example", from_name="Aoi", text="Hello",
            occurred_at=factories.office_time(),
        )  # fmt: skip

        receipt = channel.send(message)

        assert receipt.carrier_id == "0a129aee-e1cd-480d-b08d-4f48548ff48d"
        assert server.texts[0].startswith("Hello")

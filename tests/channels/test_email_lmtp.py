"""Receiving by LMTP (RFC 2033): one reply per recipient, in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.intake.mail_server import controller
from crm_contact_guard.record.models import Event, Message
from tests.ports import free_port
from tests.trouble import host_refuses

OURS = "reply+abcdefghjkmnpqrstuvw@kaede.example"
ALSO_OURS = "guests@kaede.example"
MAIL = b"From: Hanako <hanako@mail.example>\r\nMessage-ID: <1@mail.example>\r\nSubject: Hi\r\n\r\nHello\r\n"


class Talk:
    """A mail system's client. (The standard library's client reads only one reply.)"""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.lines = self.connection.makefile("rb")
        self.answer()

    def answer(self) -> str:
        line = self.lines.readline().decode().strip()
        while line[3:4] == "-":
            line = self.lines.readline().decode().strip()
        return line

    def say(self, text: bytes) -> str:
        self.connection.sendall(text + b"\r\n")
        return self.answer()

    def mail(self, recipients: list[str], content: bytes) -> tuple[list[str], list[str]]:
        """The replies to the recipients, and those to the mail (one per accepted recipient)."""
        self.say(b"LHLO mx.kaede.example")
        self.say(b"MAIL FROM:<hanako@mail.example>")
        taken = [self.say(f"RCPT TO:<{recipient}>".encode()) for recipient in recipients]
        assert self.say(b"DATA").startswith("354")
        self.connection.sendall(content + b".\r\n")
        return taken, [self.answer() for answer in taken if answer.startswith("250")]

    def close(self) -> None:
        assert self.say(b"QUIT").startswith("221"), "there were more answers than recipients"
        self.lines.close()
        self.connection.close()


@pytest.fixture
def talk(transactional_db: None, settings: Any) -> Iterator[Talk]:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 2000}
    channel = registry.channel("email")
    assert isinstance(channel, EmailChannel)
    server = controller(channel, host="127.0.0.1", port=free_port(), lmtp=True)
    server.start()
    try:
        found = Talk(int(server.port))
        yield found
        found.close()
    finally:
        server.stop()


def test_each_recipient_gets_a_reply_and_the_mail_is_recorded_once(talk: Talk) -> None:
    taken, answers = talk.mail([OURS, "stranger@else.example", ALSO_OURS], MAIL)

    assert [answer[:3] for answer in taken] == ["250", "550", "250"]
    assert [answer[:3] for answer in answers] == ["250", "250"]
    message = Message.objects.get()
    assert message.text == "Hello"
    assert message.to_address == f"{OURS}, {ALSO_OURS}"


def test_what_can_not_be_recorded_stays_with_the_mail_system_for_each(talk: Talk) -> None:
    with host_refuses(OSError("disk full")):
        _, answers = talk.mail([OURS, ALSO_OURS], MAIL)

    assert [answer[:3] for answer in answers] == ["451", "451"]
    assert not Message.objects.exists()
    _, answers = talk.mail([OURS], MAIL)
    assert answers[0].startswith("250")


def test_a_mail_that_is_too_large_is_refused_for_each_recipient(talk: Talk) -> None:
    _, answers = talk.mail([OURS, ALSO_OURS], MAIL + b"x" * 900 + b"\r\n" + b"x" * 900 + b"\r\n" + b"x" * 900 + b"\r\n")

    assert [answer[:3] for answer in answers] == ["552", "552"]
    assert Event.objects.filter(kind="carrier.unknown").count() == 1

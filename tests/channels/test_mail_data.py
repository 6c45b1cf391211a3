"""The data of a mail by SMTP: lines of any length, dots, limits, and connections that end too early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.files.storage import backend
from crm_contact_guard.intake.mail_server import controller
from crm_contact_guard.record.models import Event, Message
from tests.fuzz.doors import RECIPIENT, Client
from tests.ports import free_port
from tests.trouble import host_refuses

HEAD = b"From: Hanako <hanako@mail.example>\r\nMessage-ID: <1@mail.example>\r\n\r\n"


@pytest.fixture
def client(transactional_db: None, settings: Any) -> Iterator[Client]:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 5_000}
    channel = registry.channel("email")
    assert isinstance(channel, EmailChannel)
    server = controller(channel, host="127.0.0.1", port=free_port())
    server.start()
    try:
        found = Client(int(server.port))
        yield found
        found.close()
    finally:
        server.stop()


def original() -> bytes:
    with backend().open(Message.objects.get().attachments.get(kind="original").stored_as) as stream:
        return bytes(stream.read())


@pytest.mark.parametrize(
    "body",
    [b"x" * 4_000 + b"\r\n", b".\r\n..\r\n...a\r\n", b"\r\n" * 2_000, b"a\n.\nb\r.\rc\r\n", b"\0\xff\r\n"],
    ids=["a long line", "dots", "empty lines", "bare line ends", "any bytes"],
)
def test_a_mail_is_kept_as_it_was_sent(client: Client, body: bytes) -> None:
    assert client.send(HEAD + body).startswith("250")

    assert original() == HEAD + body


def test_a_dot_in_the_first_line_ends_an_empty_mail(client: Client) -> None:
    assert client.send(b"").startswith("250")

    assert original() == b""


def test_a_command_behind_the_data_is_not_lost(client: Client) -> None:
    client.say(b"MAIL FROM:<hanako@mail.example>")
    client.say(b"RCPT TO:<" + RECIPIENT.encode() + b">")
    client.say(b"DATA")
    client.connection.sendall(HEAD + b"hi\r\n.\r\nNOOP\r\nQUIT\r\n")

    assert [client.answer()[:3] for _ in range(3)] == ["250", "250", "221"]
    assert original() == HEAD + b"hi\r\n"


@pytest.mark.parametrize("size", [5_000, 5_001, 200_000])
def test_the_limit_is_exact_and_the_next_mail_is_taken(client: Client, size: int) -> None:
    large = HEAD + b"x" * (size - len(HEAD) - 2) + b"\r\n"

    assert client.send(large).startswith("250" if size <= 5_000 else "552")
    assert Event.objects.filter(kind="carrier.unknown").count() == (size > 5_000)
    assert client.send(HEAD.replace(b"<1@", b"<2@") + b"next\r\n").startswith("250")


def test_half_a_mail_is_not_recorded(client: Client) -> None:
    client.say(b"MAIL FROM:<hanako@mail.example>")
    client.say(b"RCPT TO:<" + RECIPIENT.encode() + b">")
    client.say(b"DATA")
    client.connection.sendall(HEAD + b"half")
    client.close()

    other = Client(client.port)
    assert other.send(HEAD + b"whole\r\n").startswith("250")
    other.close()
    assert Message.objects.get().text == "whole"


def test_content_is_no_reason_to_send_a_mail_again(client: Client) -> None:
    with host_refuses(ValueError("no such character"), text="bad"):
        assert client.send(HEAD + b"bad\r\n").startswith("250")
    with host_refuses(OSError("disk full")):
        assert client.send(HEAD.replace(b"<1@", b"<2@") + b"good\r\n").startswith("451")

    assert "could not be read" in (Message.objects.get().text or "")

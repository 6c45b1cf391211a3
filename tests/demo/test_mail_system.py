"""The demo's mail system, over real sockets."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from demo_project.mailbox import store
from demo_project.mailbox.server import MailSystem
from tests.mail_sink import Sink
from tests.ports import free_port

REPLY = "reply@kaede-hotels.example"


class System:
    """The mail system, with ``receiver`` instead of the plugin's receiver."""

    def __init__(self, folder: Path, receiver: Sink) -> None:
        self.folder = folder
        self.receiver = receiver
        handler = MailSystem(folder, ("127.0.0.1", receiver.port), frozenset({REPLY}))
        self.controller = Controller(handler, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=True)

    def send(self, *to: str, text: str = "お部屋のご用意ができました。") -> None:
        mail = EmailMessage()
        mail["From"] = "青木 美咲 <crm@kaede-hotels.example>"
        mail["To"] = ", ".join(to)
        mail["Subject"] = "ご案内"
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", int(self.controller.port), timeout=10) as connection:
            connection.send_message(mail, from_addr="crm@kaede-hotels.example", to_addrs=list(to))


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with Sink() as receiver:
        found = System(tmp_path / "mail", receiver)
        found.controller.start()
        yield found
        found.controller.stop()


def test_mail_to_people_is_put_into_their_mailboxes(system: System) -> None:
    system.send("sato.hanako@post.example", "supervisor@kaede-hotels.example")

    [letter] = store.letters(system.folder, "Sato.Hanako@post.example")
    assert (letter.sender, letter.subject) == ("青木 美咲", "ご案内")
    assert letter.text.strip() == "お部屋のご用意ができました。"
    assert store.counts(system.folder) == {"sato.hanako@post.example": 1, "supervisor@kaede-hotels.example": 1}
    assert system.receiver.is_empty


def test_mail_to_a_reply_address_is_relayed_to_the_receiver(system: System) -> None:
    system.send("reply+abcdefghijkmnpqrstuv@kaede-hotels.example")

    assert system.receiver.next_mail()["Subject"] == "ご案内"
    assert store.counts(system.folder) == {}


def test_the_sender_gets_an_error_if_the_receiver_is_down(tmp_path: Path) -> None:
    absent = Sink()
    system = System(tmp_path / "mail", absent)
    system.controller.start()
    try:
        with pytest.raises(smtplib.SMTPDataError, match="receiver does not answer") as refused:
            system.send(REPLY)
    finally:
        system.controller.stop()
    assert refused.value.smtp_code == 451


@pytest.mark.parametrize(
    "address", ["../../etc/cron.d/x@a.example", "..", ".hidden@a.example", "a/b@c.example", "/x@y"]
)
def test_no_address_escapes_the_folder(tmp_path: Path, address: str) -> None:
    root = tmp_path / "mail"
    folder = store.folder_of(root, address)
    assert folder.parent == root
    assert folder.resolve().parent == root.resolve()

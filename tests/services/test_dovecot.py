"""The mailbox that is polled, on a real Dovecot: TLS, folders, sizes, and a server that dies in the middle."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.intake import mail_polling
from crm_contact_guard.intake.mail_polling import Polled, poll
from crm_contact_guard.record.models import Event, Message
from tests.services.dovecot import PASSWORD, USER, Dovecot

pytestmark = pytest.mark.django_db


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    # Not pytest's folder: that is closed to the user whom Dovecot runs as.
    folder = Path(tempfile.mkdtemp(prefix="contact-guard-dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def mail(number: int, text: str) -> bytes:
    return (
        f"From: Hanako <hanako@mail.example>\r\nTo: reply@kaede.example\r\nMessage-ID: <{number}@mail.example>\r\n"
        f"Subject: Hi\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def configure(settings: Any, dovecot: Dovecot) -> Any:
    def channel(**changes: Any) -> EmailChannel:
        channels = settings.CONTACT_GUARD["CHANNELS"]
        given = {
            "HOST": "127.0.0.1",
            "PORT": dovecot.tls_port,
            "USER": USER,
            "PASSWORD": PASSWORD,
            "CA_FILE": str(dovecot.certificate),
            **changes,
        }
        own = {**channels["email"], "OPTIONS": {**channels["email"]["OPTIONS"], "IMAP": given}}
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, "email": own}}
        found = registry.channel("email")
        assert isinstance(found, EmailChannel)
        return found

    return channel


def texts() -> list[str]:
    return sorted(message.text or "" for message in Message.objects.all())


def test_mails_come_over_tls_byte_by_byte_and_are_marked(dovecot: Dovecot, configure: Any) -> None:
    raw = [mail(1, "一"), mail(2, "二"), b"no header\xff\xfe at all\r\n"]
    dovecot.put(*raw)
    email = configure()

    assert poll(email) == Polled(recorded=3)
    assert poll(email) == Polled()

    assert {"一", "二"} <= set(texts())
    sizes = sorted(message.attachments.get(kind="original").size for message in Message.objects.all())
    assert sizes == sorted(len(content) for content in raw)
    assert all("\\Seen" in flags for _, flags in dovecot.listing("INBOX"))


def test_starttls_and_folders_with_names_of_any_script(dovecot: Dovecot, configure: Any) -> None:
    dovecot.put(mail(1, "one"))
    with dovecot.box() as box:
        box.flag(box.uids(), "\\Seen", True)

    assert poll(configure(PORT=dovecot.port, TLS="starttls", MOVE_TO="記録済み")) == Polled(recorded=1)

    assert dovecot.listing("INBOX") == []
    assert len(dovecot.listing("記録済み")) == 1


@pytest.mark.parametrize("changes", [{"CA_FILE": ""}, {"HOST": "localhost"}, {"PASSWORD": "wrong"}])
def test_who_is_not_the_server_or_not_let_in_gets_nothing(
    dovecot: Dovecot, configure: Any, changes: dict[str, str]
) -> None:
    dovecot.put(mail(1, "one"))

    with pytest.raises(ChannelError) as caught:
        poll(configure(**changes))

    assert PASSWORD not in str(caught.value)
    assert not Message.objects.exists()


def test_a_mail_that_is_too_large_lies_in_its_own_folder(dovecot: Dovecot, configure: Any, settings: Any) -> None:
    large = mail(1, "x" * 300_000)
    dovecot.put(large, mail(2, "small"))
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 100_000}

    assert poll(configure()) == Polled(recorded=1, set_aside=1)

    assert texts() == ["small"]
    assert Event.objects.filter(kind="carrier.unknown").count() == 1
    assert len(dovecot.listing("Contact Guard")[0][0].replace(b"\r\n", b"\n")) == len(large.replace(b"\r\n", b"\n"))


def test_a_server_killed_in_the_middle_loses_and_doubles_nothing(
    dovecot: Dovecot, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.put(*(mail(number, f"text {number}") for number in range(6)))
    email = configure(MOVE_TO="Recorded")
    taken: list[object] = []
    take = mail_polling.take

    def kill_after_the_commit(event: Any) -> bool:
        new = take(event)
        taken.append(event)
        if len(taken) == 3:
            dovecot.kill()
        return new

    monkeypatch.setattr(mail_polling, "take", kill_after_the_commit)
    with pytest.raises(ChannelError):
        poll(email)
    assert len(texts()) == 3

    dovecot.start()
    polled = poll(email)

    assert texts() == [f"text {number}" for number in range(6)]
    assert polled.recorded == 3
    assert dovecot.listing("INBOX") == []


def test_a_mailbox_that_was_made_anew_doubles_nothing(dovecot: Dovecot, configure: Any) -> None:
    """Restored from a backup, its UIDs count from one again (a new UIDVALIDITY)."""
    dovecot.put(mail(1, "one"), mail(2, "two"))
    email = configure()
    assert poll(email) == Polled(recorded=2)
    dovecot.stop()
    shutil.rmtree(dovecot.folder / "mail" / USER)
    dovecot.start()
    dovecot.put(mail(2, "two"), mail(3, "three"))

    assert poll(email) == Polled(recorded=1, known=1)
    assert texts() == ["one", "three", "two"]

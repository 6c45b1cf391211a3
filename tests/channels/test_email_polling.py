"""Polling of a mailbox: mails are marked after the commit, recorded once, and not lost with the connection."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError

from crm_contact_guard import tasks
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.intake.mail_polling import Polled, poll
from crm_contact_guard.record.models import Event, Message
from tests.channels.imap_server import PASSWORD, TOKEN, USER, ImapServer
from tests.trouble import host_refuses, refusing

pytestmark = pytest.mark.django_db

MAIL = (
    "Return-Path: <hanako@mail.example>\r\nDelivered-To: reply@kaede.example\r\nFrom: Hanako <hanako@mail.example>\r\n"
    "To: guests@kaede.example\r\nMessage-ID: <%s@mail.example>\r\nSubject: Hi\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n"
)


def mail(number: int, text: str = "夜に") -> bytes:
    return (MAIL % (number, text)).encode()


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with ImapServer() as running:
        yield running


def token() -> str:
    """The host's function for tokens."""
    return TOKEN


def channel(settings: Any, server: ImapServer, **changes: Any) -> EmailChannel:
    channels = settings.CONTACT_GUARD["CHANNELS"]
    given = {"HOST": "127.0.0.1", "PORT": server.port, "USER": USER, "PASSWORD": PASSWORD, "TLS": False, **changes}
    own = {**channels["email"], "OPTIONS": {**channels["email"]["OPTIONS"], "IMAP": given}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {**channels, "email": own}}
    found = registry.channel("email")
    assert isinstance(found, EmailChannel)
    return found


def test_mails_are_recorded_and_marked_as_seen(server: ImapServer, settings: Any) -> None:
    first, second = server.put(mail(1, "one")), server.put(mail(2, "two"))
    email = channel(settings, server)

    assert poll(email) == Polled(recorded=2)
    assert poll(email) == Polled()

    assert [message.text for message in Message.objects.order_by("occurred_at", "id")] == ["one", "two"]
    assert server.flags(first) == server.flags(second) == {"\\Seen"}
    message = Message.objects.first()
    assert message is not None
    assert message.to_address == "reply@kaede.example"
    assert message.attachments.get(kind="original").size == len(mail(1, "one"))


@pytest.mark.parametrize("moves", [True, False])
def test_mails_are_moved_whether_they_were_seen_or_not(server: ImapServer, settings: Any, moves: bool) -> None:
    server.moves = moves
    looked_at = server.put(mail(1))
    server.flags(looked_at).add("\\Seen")
    thrown_away = server.put(mail(2))
    server.flags(thrown_away).add("\\Deleted")

    assert poll(channel(settings, server, MOVE_TO="Recorded")) == Polled(recorded=1)

    assert [found.uid for found in server.folders["Recorded"]] == [looked_at]
    assert [found.uid for found in server.folders["INBOX"]] == [thrown_away], "what people delete is theirs"


@pytest.mark.parametrize("command", ["AUTHENTICATE", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE"])
def test_after_a_lost_connection_no_mail_is_lost_or_duplicated(server: ImapServer, settings: Any, command: str) -> None:
    server.put(mail(1, "one"))
    server.put(mail(2, "two"))
    email = channel(settings, server)
    server.dies_at = command

    with pytest.raises(ChannelError) as caught:
        poll(email)
    assert not caught.value.permanent
    poll(email)

    assert sorted(message.text or "" for message in Message.objects.all()) == ["one", "two"]
    assert server.flags(1) == server.flags(2) == {"\\Seen"}


def test_a_recorded_mail_that_was_not_marked_is_marked_only(server: ImapServer, settings: Any) -> None:
    server.put(mail(1))
    server.dies_at = "UID STORE"
    email = channel(settings, server)
    with pytest.raises(ChannelError):
        poll(email)

    assert server.flags(1) == {"\\Seen"}, "the next connection of the same poll marks it"
    assert poll(email) == Polled()
    assert Message.objects.count() == 1


def test_while_the_database_is_away_mails_stay_where_they_are(server: ImapServer, settings: Any) -> None:
    server.put(mail(1))
    email = channel(settings, server)

    with pytest.raises(DatabaseError), refusing("message", OperationalError("server closed the connection")):
        poll(email)

    assert server.flags(1) == set()
    assert poll(email) == Polled(recorded=1)


def test_a_mail_that_is_too_large_is_recorded_as_an_event_and_set_aside(server: ImapServer, settings: Any) -> None:
    server.put(mail(1, "x" * 5000))
    server.put(mail(2, "small"))
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_INBOUND_BYTES": 2000}

    assert poll(channel(settings, server)) == Polled(recorded=1, set_aside=1)

    assert Message.objects.get().text == "small"
    event = Event.objects.get(kind="carrier.unknown")
    assert "MAX_INBOUND_BYTES" in (event.reason or "")
    assert "hanako@mail.example" in str(event.details)
    assert [found.uid for found in server.folders["Contact Guard"]] == [1]
    assert not [command for command in server.commands if command == "UID FETCH 1 (BODY.PEEK[])"], "it was downloaded"


def test_a_mail_that_breaks_the_record_holds_up_no_other(server: ImapServer, settings: Any) -> None:
    server.put(mail(1, "bad"))
    server.put(mail(2, "good"))

    with host_refuses(ValueError("no such character"), text="bad"):
        assert poll(channel(settings, server)) == Polled(recorded=2)

    unread, good = Message.objects.order_by("recorded_at")
    assert good.text == "good"
    assert "could not be read" in (unread.text or "")
    assert unread.from_address == "hanako@mail.example"
    assert unread.attachments.get().size == len(mail(1, "bad"))


def test_a_mail_that_can_not_even_be_recorded_as_unread_is_set_aside(server: ImapServer, settings: Any) -> None:
    server.put(mail(1, "bad"))

    with host_refuses(ValueError("no such message")):
        assert poll(channel(settings, server)) == Polled(set_aside=1)

    assert [found.raw for found in server.folders["Contact Guard"]] == [mail(1, "bad")]
    assert "can't be recorded" in (Event.objects.get(kind="carrier.unknown").reason or "")


@pytest.mark.parametrize("answer", ["refuses", "dies"])
def test_a_mail_that_the_server_does_not_hand_out_holds_up_no_other(
    server: ImapServer, settings: Any, answer: str
) -> None:
    broken = server.put(mail(1, "lost"))
    server.put(mail(2, "good"))
    server.broken[broken] = answer
    email = channel(settings, server)

    if answer == "dies":
        with pytest.raises(ChannelError):
            poll(email)
    else:
        assert poll(email) == Polled(recorded=1, set_aside=1)

    assert Message.objects.get().text == "good"
    assert [found.uid for found in server.folders["Contact Guard"]] == [broken]
    assert Event.objects.filter(kind="carrier.unknown").count() == 1
    assert poll(email) == Polled()


def test_an_empty_mail_is_recorded(server: ImapServer, settings: Any) -> None:
    server.put(b"")

    assert poll(channel(settings, server)) == Polled(recorded=1)


def test_a_token_can_be_used_instead_of_a_password(server: ImapServer, settings: Any) -> None:
    server.put(mail(1))

    assert poll(channel(settings, server, PASSWORD="", ACCESS_TOKEN=f"{__name__}.token")) == Polled(recorded=1)


def test_the_error_for_a_refused_password_does_not_contain_it(server: ImapServer, settings: Any) -> None:
    with pytest.raises(ChannelError, match="AUTHENTICATIONFAILED") as caught:
        poll(channel(settings, server, PASSWORD="sécret-word"))
    assert "sécret-word" not in str(caught.value)


def test_a_server_without_tls_is_refused_if_tls_is_required(server: ImapServer, settings: Any) -> None:
    with pytest.raises(ChannelError):
        poll(channel(settings, server, TLS=True, TIMEOUT=5))
    assert not Message.objects.exists()


def test_the_task_polls_each_mailbox_despite_errors(server: ImapServer, settings: Any) -> None:
    server.put(mail(1))
    channel(settings, server)
    channels = settings.CONTACT_GUARD["CHANNELS"]
    gone = {**channels["email"]["OPTIONS"], "IMAP": {**channels["email"]["OPTIONS"]["IMAP"], "PORT": 1, "TIMEOUT": 5}}
    broken = {**gone, "IMAP": {"HOST": "127.0.0.1"}}
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD,
        "CHANNELS": {
            "gone": {**channels["email"], "OPTIONS": gone},
            "broken": {**channels["email"], "OPTIONS": broken},
            **channels,
        },
    }

    assert tasks.poll_mail() == {"recorded": 1, "known": 0, "set_aside": 0}


def test_the_command_polls_once(server: ImapServer, settings: Any) -> None:
    server.put(mail(1))
    channel(settings, server)
    said = StringIO()
    call_command("contact_guard_receive_mail", imap=True, once=True, stdout=said)
    assert "1 recorded, 0 known, 0 set aside" in said.getvalue()

    channel(settings, server, PORT=1, TIMEOUT=5)
    with pytest.raises(CommandError, match="can't open the mailbox"):
        call_command("contact_guard_receive_mail", imap=True, once=True, stdout=said)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"TLS": "starttls"}, None),
        ({"PASSWORD": ""}, "E105"),
        ({"TLS": "yes"}, "E105"),
        ({"PASSWROD": "x"}, "E105"),
        ({"TLS": False, "HOST": "mail.example"}, "W102"),
    ],
)
def test_a_wrong_configuration_is_reported(
    settings: Any, server: ImapServer, changes: dict[str, Any], problem: str | None
) -> None:
    found = [error.id for error in channel(settings, server, **changes).check()]

    assert found == ([f"crm_contact_guard.{problem}"] if problem else [])

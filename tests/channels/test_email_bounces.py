"""Bounces in servers' own words and complaints: what they tell, whom we believe, and that no person wrote them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import CarrierEvent, ContactEvent, ContactKind, InboundMessage, StatusEvent
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.channels.email.refusals import is_gone
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Message
from tests import factories
from tests.channels.bounce_letters import HARD, OF_PEOPLE, SOFT, TO

OURS = "<0199@kaede.example>"
RETURNED = (
    f"\n--- The message that follows is a copy.\n\nReturn-Path: <x@y.example>\nMessage-ID: {OURS}\nTo: {TO}\n\nhi\n"
)


def read(raw: bytes, *, sender: str | None = "", to: str = "reply@kaede.example") -> tuple[CarrierEvent, ...]:
    return read_mail(raw, alias="email", envelope_from=sender, envelope_to=[to])


def gone(events: Iterable[CarrierEvent]) -> list[str]:
    return [one.address for one in events if isinstance(one, ContactEvent) and one.kind is ContactKind.BOUNCE]


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("sender", ["", None])
def test_a_letter_about_an_unknown_mailbox_tells_its_address(name: str, sender: str | None) -> None:
    events = read(HARD[name].raw(), sender=sender)

    assert gone(events) == [TO]
    assert isinstance(events[0], InboundMessage)
    assert events[0].details["auto_submitted"]


@pytest.mark.parametrize("name", SOFT)
@pytest.mark.parametrize("below", ["", RETURNED])
def test_a_letter_about_something_else_leaves_the_address(name: str, below: str) -> None:
    events = read(SOFT[name].raw(below=below), sender=None)

    assert gone(events) == []
    assert isinstance(events[0], InboundMessage)
    assert events[0].details["auto_submitted"]


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_person_who_writes_of_a_bounce_is_no_machine(name: str) -> None:
    (event,) = read(OF_PEOPLE[name].raw(), sender="hanako@mail.example")

    assert isinstance(event, InboundMessage)
    assert "auto_submitted" not in event.details


def test_a_letter_that_returns_our_mail_fails_its_message() -> None:
    _mail, status, contact = read(HARD["qmail"].raw(below=RETURNED))

    assert isinstance(status, StatusEvent)
    assert (status.carrier_id, status.status) == (OURS, "failed")
    assert isinstance(contact, ContactEvent)
    assert contact.carrier_id == OURS


def test_words_decide_where_the_code_says_too_little() -> None:
    assert is_gone("5.1.1")
    assert is_gone("5.0.0", "550 No such user here")
    assert not is_gone("5.0.0", "550 Rejected")
    assert not is_gone("5.1.1", "452 4.2.2 mailbox full")
    assert not is_gone("5.1.1", "550 5.1.1 blocked, see https://dnsbl.example")


def complaint(
    *, kind: str = "abuse", rcpt: str = f"Original-Rcpt-To: <{TO}>\n", returned: str = "message/rfc822"
) -> bytes:
    """A report of abuse (RFC 5965)."""
    return (
        "From: <feedback@isp.example>\nSubject: FW: Your stay\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="x"\n\n--x\n'
        "Content-Type: text/plain\n\nThis is an email abuse report.\n\n--x\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nUser-Agent: Generator/1.0\nVersion: 1\n{rcpt}\n--x\nContent-Type: {returned}\n\n"
        f"From: Hotel <hotel@kaede.example>\nTo: {TO}\nMessage-ID: {OURS}\nSubject: Your stay\n\nhi\n--x--\n"
    ).encode()


@pytest.mark.parametrize("rcpt", [f"Original-Rcpt-To: <{TO}>\n", ""])
@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_complaint_names_the_address(rcpt: str, returned: str) -> None:
    (event,) = read(complaint(rcpt=rcpt, returned=returned), sender="feedback@isp.example")

    assert isinstance(event, ContactEvent)
    assert (event.kind, event.address, event.carrier_id) == (ContactKind.COMPLAINT, TO, OURS)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_other_feedback_is_a_mail_by_a_machine(kind: str) -> None:
    (event,) = read(complaint(kind=kind), sender="feedback@isp.example")

    assert isinstance(event, InboundMessage)
    assert event.details["auto_submitted"]


def sent() -> Message:
    clerk = factories.employee("aoi")
    talk = factories.conversation(clerk, channel="email", email=TO)
    message = gateway.send(
        actor=clerk, conversation=talk, text="Your room is ready", channel="email", occurred_at=factories.office_time()
    ).message
    assert message is not None
    Delivery.objects.filter(message=message).update(state="sent", carrier_id=OURS, due_at=None)
    return message


def opted_out(message: Message) -> str:
    return message.conversation.customer.addresses.get().opted_out_by


@pytest.mark.django_db
def test_a_complaint_about_our_mail_opts_the_address_out() -> None:
    message = sent()

    for event in read(complaint(rcpt="Original-Rcpt-To: <struck-out>\n").replace(f"To: {TO}".encode(), b"To: <>")):
        assert isinstance(event, ContactEvent)
        take(event)
    assert opted_out(message) == ""

    for event in read(complaint()):
        take(event)
    assert opted_out(message) == "complaint"


@pytest.mark.django_db
def test_a_complaint_without_an_address_means_the_mails_recipient() -> None:
    message = sent()

    for event in read(complaint(rcpt="").replace(f"To: {TO}\n".encode(), b"")):
        take(event)

    assert opted_out(message) == "complaint"


@pytest.mark.django_db
def test_a_letter_to_a_conversations_reply_address_opts_its_customer_out_and_is_recorded() -> None:
    message = sent()
    reply_to = f"reply+{message.conversation.reply_token}@kaede.example"

    for event in read(HARD["exim"].raw(), to=reply_to):
        take(event)

    assert opted_out(message) == "bounce"
    letter = Message.objects.get(direction="inbound")
    assert letter.conversation == message.conversation
    assert "User unknown" in (letter.text or "")


@pytest.mark.django_db
@pytest.mark.parametrize("to", ["reply@kaede.example", "reply+abcdefghjkmnpqrstuvw@kaede.example"])
def test_a_letter_that_anybody_could_write_opts_nobody_out(to: str) -> None:
    message = sent()

    for event in read(HARD["exim"].raw(), to=to):
        take(event)

    assert opted_out(message) == ""


@pytest.mark.django_db
def test_a_letter_to_one_customers_reply_address_says_nothing_about_another() -> None:
    message = sent()
    other = factories.conversation(factories.employee("ren"), channel="email", email="kenji@mail.example")

    for event in read(HARD["exim"].raw(), to=f"reply+{other.reply_token}@kaede.example"):
        take(event)

    assert opted_out(message) == ""

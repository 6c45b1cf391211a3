"""Automatic mails: delivery reports update the message and the address, automatic replies are detected."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import ContactEvent, ContactKind, DeliveryStatus, InboundMessage, StatusEvent
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.channels.email.refusals import status_code
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Event, Message
from tests import factories

REPLY = "reply+abcdefghjkmnpqrstuvw@kaede.example"
OURS = "<0199@kaede.example>"


def report(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    to: str = "hanako@mail.example",
    original: str = OURS,
    returned: str = "message/rfc822",
    diagnostic: str = "smtp; 550 5.1.1 No such user",
) -> bytes:
    """A report in Postfix's format."""
    head = f"Message-Id: {original}\nSubject: Your stay\n"
    return (
        "From: MAILER-DAEMON@mx.example (Mail Delivery System)\nMessage-ID: <r@mx.example>\n"
        "Auto-Submitted: auto-replied\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n--x\n\nFailed.\n--x\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n\n--x\n"
        f"Content-Type: {returned}\n\n{head}\nhi\n--x--\n"
    ).encode()


def read(raw: bytes, sender: str | None = "") -> Any:
    return read_mail(raw, alias="email", envelope_from=sender, envelope_to=[REPLY])


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", "message/global-headers"])
def test_a_missing_mailbox_fails_the_message_and_opts_the_address_out(returned: str) -> None:
    status, contact = read(report(returned=returned))

    assert isinstance(status, StatusEvent)
    assert (status.carrier_id, status.status) == (OURS, DeliveryStatus.FAILED)
    assert status.detail["diagnostic"] == "550 5.1.1 No such user"
    assert isinstance(contact, ContactEvent)
    assert (contact.kind, contact.address, contact.carrier_id) == (ContactKind.BOUNCE, "hanako@mail.example", OURS)
    assert contact.event_id != status.event_id


@pytest.mark.parametrize(
    ("action", "code", "expected"),
    [
        ("failed", "5.2.2", DeliveryStatus.FAILED),
        ("failed", "5.7.1", DeliveryStatus.FAILED),
        ("failed", "4.4.7", DeliveryStatus.FAILED),
        ("delayed", "4.4.1", DeliveryStatus.QUEUED),
        ("relayed", "2.1.9", DeliveryStatus.SENT),
        ("delivered", "2.0.0", DeliveryStatus.DELIVERED),
        ("failed (mailbox full)", "5.2.2", DeliveryStatus.FAILED),
    ],
)
def test_other_reports_do_not_opt_the_address_out(action: str, code: str, expected: DeliveryStatus) -> None:
    (status,) = read(report(action=action, status=code, diagnostic="smtp; no"))

    assert isinstance(status, StatusEvent)
    assert status.status is expected


@pytest.mark.parametrize("change", [("Message-Id: <0199@kaede.example>\n", ""), ("Action: failed", "Action: dance")])
def test_a_report_without_a_message_id_is_recorded_as_a_mail(change: tuple[str, str]) -> None:
    event, *_told = read(report().replace(change[0].encode(), change[1].encode()))

    assert isinstance(event, InboundMessage)
    assert event.details["auto_submitted"] == "auto-replied"
    assert event.files[0].kind == "original"


@pytest.mark.parametrize(
    ("head", "sender", "reason"),
    [
        ("Auto-Submitted: auto-replied (vacation)\n", "a@b.example", "auto-replied (vacation)"),
        ("Auto-Submitted: auto-generated\n", "a@b.example", "auto-generated"),
        ("Precedence: bulk\n", "a@b.example", "precedence bulk"),
        ("X-Autoreply: yes\n", "a@b.example", "x-autoreply"),
        ("", "", "null sender"),
        ("Return-Path: <>\n", None, "null sender"),
        ("Auto-Submitted: no\n", "a@b.example", None),
        ("", "a@b.example", None),
        ("", None, None),
    ],
)
def test_automatic_replies_are_detected(head: str, sender: str | None, reason: str | None) -> None:
    (event,) = read(f"From: a@b.example\n{head}\nI am away.\n".encode(), sender)

    assert event.text == "I am away."
    assert event.details.get("auto_submitted") == reason


@pytest.mark.parametrize(
    ("text", "code"),
    [("550 5.1.1 No", "5.1.1"), ("host 5.1.1.7 said no", ""), ("[5.1.10].", "5.1.10"), ("v12.5.1.1", ""), ("", "")],
)
def test_status_codes_are_distinguished_from_ip_addresses(text: str, code: str) -> None:
    assert status_code(text) == code


def test_a_report_is_limited_to_twenty_recipients() -> None:
    block = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n\n"
    raw = report().decode().replace("Final-Recipient", block * 1000 + "Final-Recipient", 1)

    assert len(read(raw.encode())) == 40


def _sent(address: str) -> Message:
    clerk = factories.employee("aoi")
    talk = factories.conversation(clerk, channel="email", email=address)
    sent = gateway.send(
        actor=clerk, conversation=talk, text="Your room is ready", channel="email", occurred_at=factories.office_time()
    )
    assert sent.message is not None
    Delivery.objects.filter(message=sent.message).update(state="sent", carrier_id=OURS, due_at=None)
    return sent.message


@pytest.mark.django_db
def test_a_recorded_bounce_fails_the_message_and_opts_the_address_out() -> None:
    message = _sent("hanako@mail.example")

    for event in read(report()):
        take(event)

    assert Delivery.objects.get(message=message).state == "failed"
    address = message.conversation.customer.addresses.get()
    assert address.opted_out_by == "bounce"
    assert Event.objects.filter(kind="contact.bounce", subject_id=str(address.pk)).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("original", [OURS, "<guessed@kaede.example>"])
def test_a_forged_bounce_does_not_opt_out_another_address(original: str) -> None:
    _sent("hanako@mail.example")
    victim = factories.customer("Kenji Mori", email="kenji@mail.example")
    to = "kenji@mail.example" if original == OURS else "hanako@mail.example"

    for event in read(report(original=original, to=to)):
        take(event)

    assert victim.addresses.get().opted_out_at is None
    assert not Event.objects.filter(kind="contact.bounce").exists()


@pytest.mark.django_db
def test_the_page_shows_that_a_reply_is_automatic(client: Client) -> None:
    clerk = factories.employee("aoi")
    talk = factories.conversation(clerk, channel="email", email="a@b.example")
    assert clerk.user is not None
    client.force_login(clerk.user)
    page = f"/guard/conversations/{talk.pk}/"

    for number, head in enumerate(("", "Auto-Submitted: auto-replied\n")):
        (event,) = read(f"From: a@b.example\nMessage-ID: <{number}@b>\n{head}\nI am away.\n".encode(), "a@b.example")
        take(event)
        assert client.get(page).content.decode().count("Automatic reply") == number

"""What can't be read or recorded is recorded as unread, with what arrived, and raises an alert."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError
from django.utils import timezone

from crm_contact_guard.channels.base import ContactEvent, ContactKind, InboundMessage
from crm_contact_guard.channels.email.inbound import read_mail
from crm_contact_guard.files.storage import backend
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert, Topic
from tests import factories
from tests.trouble import host_refuses, refusing

pytestmark = pytest.mark.django_db


def arrives(raw: bytes) -> Message:
    (event,) = read_mail(raw, alias="email", envelope_from="hanako@mail.example", envelope_to=["reply@kaede.example"])
    take(event)
    return Message.objects.latest("recorded_at")


def test_a_mail_beyond_the_limits_raises_one_alert() -> None:
    factories.employee("aoi", branch=factories.team(head="sora"))
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(2_000))
    message = arrives(b"From: hanako@mail.example\r\n" + nested)
    inspection.inspect(message)
    inspection.inspect(message)

    alert = Alert.objects.get()
    assert alert.topic == Topic.SCAN_FAILURE
    assert [finding.detector for finding in alert.findings.all()] == ["message.unread"]
    assert message.attachments.get(kind="original").size > len(nested)


def test_an_ordinary_mail_raises_none() -> None:
    message = arrives(b"From: hanako@mail.example\r\n\r\nWhen is breakfast?\r\n")
    inspection.inspect(message)

    assert not Alert.objects.exists()


def said(text: str) -> InboundMessage:
    return InboundMessage(
        channel="chat", event_id="e1", from_address="", from_name="Hanako", text=text, occurred_at=timezone.now()
    )


def test_a_message_that_can_not_be_recorded_as_it_is_is_kept_as_it_arrived() -> None:
    with host_refuses(ValueError("no such character"), text="bad"):
        assert take(said("bad"))
        assert not take(said("bad")), "the carrier repeats it"

    message = Message.objects.get()
    assert "could not be read" in (message.text or "")
    original = message.attachments.get()
    assert original.kind == "original"
    with backend().open(original.stored_as) as stream:
        assert json.loads(stream.read())["text"] == "bad"


def test_an_event_that_can_not_be_recorded_as_it_is_is_kept_as_unknown() -> None:
    bounce = ContactEvent(
        channel="email",
        event_id="b1",
        address="hanako@mail.example",
        kind=ContactKind.COMPLAINT,
        occurred_at=timezone.now(),
        detail={"code": 5.1},  # type: ignore[dict-item]
    )
    assert take(bounce)
    assert not take(bounce), "the carrier repeats it"

    event = Event.objects.get(kind="carrier.unknown")
    assert "hanako@mail.example" in (event.details or "")


def test_while_the_database_is_away_nothing_is_called_unreadable() -> None:
    with refusing("message", OperationalError("server closed the connection")), pytest.raises(OperationalError):
        take(said("hello"))

    assert not Message.objects.exists()
    assert not Event.objects.filter(kind="carrier.unknown").exists()
    assert take(said("hello"))
    assert Message.objects.get().text == "hello"

"""What comes in by the doors, and what is noted, leaves behind: the row, its events, the conversation's state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import DeliveryStatus, FileIn, InboundMessage, StatusEvent, UnknownEvent
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision.models import Inspection
from tests import factories

pytestmark = pytest.mark.django_db

PAPER = FileIn(name="menu.txt", content_type="text/plain", content=b"Breakfast is served from 7 to 10")


@pytest.fixture
def talk(clerk: Employee) -> Conversation:
    return factories.conversation(clerk, email="hanako@gmail.com")


def sent(talk: Conversation) -> Message:
    """A mail of the clerk's."""
    message = gateway.send(actor=talk.employee, conversation=talk, text="Your room is ready.", channel="email").message
    assert message is not None
    return message


def inbound(talk: Conversation | None = None, **more: Any) -> InboundMessage:
    given = {"channel": "email", "event_id": uuid4().hex, "from_address": "hanako@gmail.com", "text": "Hello", **more}
    tokens = (talk.reply_token,) if talk is not None else ()
    return InboundMessage(**{"occurred_at": factories.office_time(), "reply_tokens": tokens, **given})


def test_what_comes_in_is_recorded_with_who_to_whom_and_when(clerk: Employee, talk: Conversation) -> None:
    sent(talk)

    received = gateway.receive(
        inbound(
            talk, from_name="Hanako", to_address="guests@kaede.example", subject="Hi", carrier_id="<1@gmail.com>",
            details={"spam": "no"}, files=(PAPER,), quoted="> Your room is ready.",
        )
    )  # fmt: skip

    assert (received.conversation, received.duplicate) == (talk, False)
    assert received.message is not None
    message = Message.objects.get(pk=received.message.pk)
    assert (message.direction, message.channel, message.text) == ("inbound", "email", "Hello")
    assert (message.from_name, message.from_address) == ("Hanako", "hanako@gmail.com")
    assert (message.to_name, message.to_address) == ("Aoi", "guests@kaede.example")
    assert (message.employee, message.subject, message.carrier_id) == (clerk, "Hi", "<1@gmail.com>")
    assert (json.loads(message.details or ""), message.quoted) == ({"spam": "no"}, "> Your room is ready.")
    assert message.occurred_at == factories.office_time()
    assert Attachment.objects.get().message == message
    state = Conversation.objects.get(pk=talk.pk)
    assert (state.unread, state.waiting_since, state.channel) == (1, factories.office_time(), "email")


def test_what_the_carrier_does_not_tell_stays_empty(talk: Conversation) -> None:
    message = gateway.receive(inbound(talk, from_address="")).message

    assert message is not None
    assert (message.from_name, message.from_address, message.to_address) == ("Hanako Sato", None, None)
    assert (message.subject, message.quoted, message.details, message.files) == (None, None, None, None)


def test_what_comes_in_is_inspected_after_the_commit(
    talk: Conversation, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        message = gateway.receive(inbound(talk)).message
        assert not Inspection.objects.exists()

    assert Inspection.objects.get().message == message


def test_a_repetition_names_what_was_recorded(talk: Conversation) -> None:
    with_file = inbound(talk, files=(PAPER,))
    first = gateway.receive(with_file)

    again = gateway.receive(with_file)

    assert (again.message, again.conversation, again.duplicate) == (first.message, talk, True)
    assert Attachment.objects.count() == 1
    assert CarrierEventId.objects.get().received_at == Message.objects.get().recorded_at


def test_the_same_id_on_another_channel_is_another_message(talk: Conversation) -> None:
    ids = {"event_id": "e1"}

    both = [gateway.receive(inbound(talk, **ids)), gateway.receive(inbound(talk, channel="chat", **ids))]

    assert [one.duplicate for one in both] == [False, False]


# --- what carriers say


def status(**more: Any) -> StatusEvent:
    given = {
        "channel": "email",
        "event_id": uuid4().hex,
        "carrier_id": "c1",
        "status": DeliveryStatus.DELIVERED,
        **more,
    }
    return StatusEvent(**{"occurred_at": factories.office_time(), **given})


def test_a_word_about_a_message_is_recorded_once_with_its_time_and_detail(talk: Conversation) -> None:
    message = sent(talk)
    Delivery.objects.update(carrier_id="c1", state="sent")
    word = status(detail={"code": "250"})

    assert [take(word) for _ in range(2)] == [True, False]

    event = message.events.get(kind="delivery.delivered")
    assert (event.occurred_at, json.loads(event.details or "")) == (factories.office_time(), {"code": "250"})
    assert Delivery.objects.get().state == "delivered"
    known = CarrierEventId.objects.get()
    assert (known.channel, known.message) == ("email", message)
    assert known.received_at > timezone.now() - timedelta(minutes=1)


def test_a_word_may_name_our_own_id_and_teaches_us_the_carriers(talk: Conversation) -> None:
    message = sent(talk)

    assert take(status(carrier_id="c9", message_id=str(message.pk)))

    assert Delivery.objects.get().carrier_id == "c9"


def test_a_word_about_nothing_of_ours_is_remembered_and_changes_nothing(talk: Conversation) -> None:
    sent(talk)
    events = Event.objects.count()

    assert not take(status(carrier_id="somebody else's"))

    assert Event.objects.count() == events
    assert CarrierEventId.objects.get().message is None


def test_what_can_not_be_read_is_kept_whole_and_once() -> None:
    event = UnknownEvent(
        channel="chat", event_id="u1", occurred_at=factories.office_time(), payload='{"new": 1}', reason="a new kind"
    )

    assert [take(event) for _ in range(2)] == [True, False]

    kept = Event.objects.get(kind="carrier.unknown")
    assert (kept.subject_type, kept.subject_id, kept.actor_type) == ("channel", "chat", "carrier")
    assert (kept.reason, json.loads(kept.details or "")) == ("a new kind", {"payload": '{"new": 1}'})
    assert kept.occurred_at == factories.office_time()
    assert json.loads(kept.data) == {"event_id_sha256": hashlib.sha256(b"u1").hexdigest()}
    known = CarrierEventId.objects.get()
    assert (known.channel, known.message) == ("chat", None)


# --- said elsewhere


def note(talk: Conversation, **more: Any) -> Message:
    given = {"actor": talk.employee, "kind": "call", "text": "Asked for a late check-out", **more}
    return gateway.note(conversation=talk, **{"occurred_at": timezone.now() - timedelta(hours=1), **given})


def test_a_note_is_recorded_with_what_was_agreed(
    clerk: Employee, talk: Conversation, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    at = timezone.now() - timedelta(hours=3)
    Conversation.objects.filter(pk=talk.pk).update(unread=1, waiting_since=at)
    with django_capture_on_commit_callbacks(execute=True):
        made = note(talk, kind="meeting", occurred_at=at, details={"minutes": 4}, attachments=[PAPER])

    message = Message.objects.get(pk=made.pk)
    assert (message.direction, message.channel, message.kind) == ("note", "note", "meeting")
    assert (message.text, message.employee, message.occurred_at) == ("Asked for a late check-out", clerk, at)
    assert (message.from_name, message.to_name) == ("Aoi", "Hanako Sato")
    assert json.loads(message.details or "") == {"minutes": 4}
    assert [one["name"] for one in json.loads(message.files or "")] == ["menu.txt"]
    assert Attachment.objects.get().message == message
    assert Inspection.objects.filter(message=message).exists()
    assert not Delivery.objects.exists()
    state = Conversation.objects.get(pk=talk.pk)
    assert (state.unread, state.waiting_since, state.channel) == (1, at, "chat")
    assert state.last_message_at == at


def test_a_note_is_the_answering_employees(talk: Conversation) -> None:
    with pytest.raises(NotPermitted):
        note(talk, actor=factories.employee("ken"))
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": "message"}, "kind"),
        ({"text": " "}, None),
        ({"text": "x" * 20_001}, None),
        ({"occurred_at": timezone.now() + timedelta(days=1)}, "occurred_at"),
    ],
)
def test_what_is_no_note_is_refused(talk: Conversation, more: dict[str, Any], field: str | None) -> None:
    with pytest.raises(InvalidMessage) as caught:
        note(talk, **more)

    assert field is None or caught.value.field == field
    assert not Message.objects.exists()

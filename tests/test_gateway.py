"""Sending and receiving: authorisation, rejected messages and repeated calls."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Conversation, Message
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(clerk: Employee) -> Conversation:
    return factories.conversation(clerk)


def inbound(**fields: object) -> InboundMessage:
    given = {"channel": "email", "event_id": "e1", "from_address": "hanako@gmail.com", "text": "Hello"}
    return InboundMessage(occurred_at=timezone.now(), **{**given, **fields})  # type: ignore[arg-type]


def test_only_those_who_answer_the_conversation_may_write(clerk: Employee, conversation: Conversation) -> None:
    supervisor = Employee.objects.get(name="Sora")

    for stranger in (supervisor, factories.employee("ren")):
        with pytest.raises(NotPermitted):
            gateway.send(actor=stranger, conversation=conversation, text="Hello")
    assert not Message.objects.exists()


@pytest.mark.parametrize(("text", "words"), [("  \n", "empty"), ("x" * 5001, "5001")])
def test_invalid_messages_are_rejected_with_a_text(
    clerk: Employee, conversation: Conversation, text: str, words: str
) -> None:
    with pytest.raises(InvalidMessage, match=words):
        gateway.send(actor=clerk, conversation=conversation, text=text)
    assert not Message.objects.exists()


def test_a_customer_without_an_address_can_not_receive_mail(clerk: Employee, conversation: Conversation) -> None:
    with pytest.raises(InvalidMessage, match="no address"):
        gateway.send(actor=clerk, conversation=conversation, text="Hello", channel="email")


def test_a_repeated_key_returns_the_first_message_and_rejects_another_text(
    clerk: Employee, conversation: Conversation
) -> None:
    first = gateway.send(actor=clerk, conversation=conversation, text="Hello", idempotency_key="k1")
    again = gateway.send(actor=clerk, conversation=conversation, text="Hello", idempotency_key="k1")

    assert again.repeated
    assert again.message == first.message
    with pytest.raises(InvalidMessage, match="Idempotency-Key"):
        gateway.send(actor=clerk, conversation=conversation, text="Something else", idempotency_key="k1")
    assert Message.objects.count() == 1


def test_a_carriers_event_is_recorded_once(conversation: Conversation) -> None:
    first = gateway.receive(inbound(reply_tokens=(conversation.reply_token,)))
    again = gateway.receive(inbound(reply_tokens=(conversation.reply_token,)))

    assert not first.duplicate
    assert again.duplicate
    assert again.message == first.message
    assert Message.objects.count() == 1


def test_long_event_ids_with_a_common_prefix_are_distinct(conversation: Conversation) -> None:
    ids = [f"{'x' * 300}{end}" for end in "ab"]

    received = [gateway.receive(inbound(event_id=one, reply_tokens=(conversation.reply_token,))) for one in ids * 2]

    assert [one.duplicate for one in received] == [False, False, True, True]
    assert Message.objects.count() == 2


def test_conversations_are_found_by_token_then_reference_then_address(clerk: Employee) -> None:
    known = factories.conversation(clerk, email="hanako@gmail.com", channel="email")
    other = factories.conversation(clerk, name="Emma Wright", email="emma@gmail.com", channel="email")

    by_token = gateway.receive(inbound(event_id="1", from_address="x@y.example", reply_tokens=(other.reply_token,)))
    by_address = gateway.receive(inbound(event_id="2", from_address="Hanako@Gmail.com", carrier_id="<m2@gmail.com>"))
    by_reference = gateway.receive(inbound(event_id="3", from_address="x@y.example", references=("<m2@gmail.com>",)))

    assert by_token.conversation == other
    assert by_address.conversation == known
    assert by_reference.conversation == known


def test_an_unknown_sender_opens_an_unassigned_conversation(clerk: Employee) -> None:
    received = gateway.receive(inbound(from_address="stranger@example.org", reply_tokens=("nosuchtokenxxxxxxxxx",)))

    assert received.conversation is not None
    assert received.conversation.employee is None
    assert Customer.objects.get(key=None).name == "s•••@example.org"


def test_hostile_text_is_recorded_as_it_can_be_stored(conversation: Conversation) -> None:
    received = gateway.receive(
        inbound(text="a\x00b\ud800c", subject="\x00", carrier_id="<x\n\ty>", reply_tokens=(conversation.reply_token,))
    )

    assert received.message is not None
    stored = Message.objects.get(pk=received.message.pk)
    assert stored.text == "a\ufffdb\ufffdc"
    assert "\n" not in stored.carrier_id


def test_a_note_is_about_a_past_call_or_meeting(clerk: Employee, conversation: Conversation) -> None:
    now = timezone.now()
    noted = gateway.note(
        actor=clerk, conversation=conversation, kind="call", text="Asked for a late check-out", occurred_at=now,
        details={"minutes": 4},
    )  # fmt: skip

    assert (noted.direction, noted.kind) == ("note", "call")
    with pytest.raises(InvalidMessage, match="in the future"):
        gateway.note(
            actor=clerk, conversation=conversation, kind="call", text="x", occurred_at=now + timezone.timedelta(hours=1)
        )
    with pytest.raises(InvalidMessage, match="call or meeting"):
        gateway.note(actor=clerk, conversation=conversation, kind="fax", text="x", occurred_at=now)


def test_ids_and_names_that_no_database_accepts_are_cleaned_on_entry() -> None:
    inbound = InboundMessage(
        channel="chat",
        event_id="a\0b",
        from_address="\ud800x@mail.example",
        from_name="Han\0ako",
        text="Hello\0",
        occurred_at=factories.office_time(),
        carrier_id="c\0",
    )

    first, again = gateway.receive(inbound), gateway.receive(inbound)

    assert first.message is not None
    assert first.message.from_name == "Han\ufffdako"
    assert again.duplicate

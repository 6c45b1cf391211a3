"""The conversation chosen by the sender's address, and the number of SQL statements this takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.directory.models import Address, Customer, Employee
from crm_contact_guard.record.models import Conversation, Message
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "family@sato.example"
NOW = timezone.now()


def writes(event_id: str, *, at: datetime = NOW, address: str = ADDRESS) -> Message:
    inbound = InboundMessage(
        channel="email", event_id=event_id, from_address=address, text="Hello", occurred_at=at, carrier_id=event_id
    )
    message = gateway.receive(inbound).message
    assert message is not None
    return message


def talk(customer: Customer, *, last: int | None, state: str = "open") -> Conversation:
    """A conversation whose latest message was ``last`` minutes ago."""
    opened = conversation_open(customer=customer, channel="email")
    at = NOW - timedelta(minutes=last) if last is not None else None
    Conversation.objects.filter(pk=opened.pk).update(last_message_at=at, state=state)
    return opened


def having(name: str, *, tenant: str = "", key: str | None = "", **fields: object) -> Customer:
    """A customer with the address, mirrored from the host."""
    customer = Customer.objects.create(name=name, tenant=tenant, key=name if key == "" else key, **fields)
    Address.objects.create(customer=customer, kind="email", value=ADDRESS, normalised=ADDRESS)
    return customer


#: Writes per message. PostgreSQL gets them as one statement.
CHANGES = {False: ["INSERT", "INSERT", "UPDATE"], True: ["WITH"]}


def work(captured: CaptureQueriesContext) -> list[str]:
    """The first word of each statement, without transaction control."""
    words = [query["sql"].split()[0] for query in captured]
    return [word for word in words if word not in ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")]


def test_the_open_conversation_with_the_latest_message_is_chosen() -> None:
    hanako = having("hanako")
    talk(hanako, last=None)
    latest = talk(hanako, last=60)
    talk(hanako, last=90)
    talk(hanako, last=1, state="closed")

    assert writes("1").conversation == latest


def test_only_closed_conversations_lead_to_a_new_one() -> None:
    clerk = factories.employee("aoi")
    closed = talk(having("hanako", owner=clerk), last=1, state="closed")

    message = writes("1")

    assert message.conversation != closed
    assert message.conversation.customer == closed.customer
    assert message.employee == message.conversation.employee == clerk


def test_the_customer_with_the_latest_message_is_chosen_even_if_that_conversation_is_closed() -> None:
    talk(having("hanako"), last=60)
    having("jiro")
    taro = having("taro")
    talk(taro, last=5, state="closed")
    own = talk(taro, last=None)

    assert writes("1").conversation == own


def test_a_customer_of_the_host_precedes_an_unknown_sender() -> None:
    talk(having("stranger", key=None), last=1)
    known = talk(having("hanako"), last=600)

    assert writes("1").conversation == known


def test_an_address_shared_by_two_tenants_belongs_to_an_unknown_sender() -> None:
    for tenant in ("a", "b"):
        talk(having(f"hanako-{tenant}", tenant=tenant), last=5)

    first, second = writes("1"), writes("2")

    assert first.customer.key is None
    assert not first.tenant
    assert first.conversation == second.conversation


@pytest.mark.parametrize("gone", ["dropped", "inactive"])
def test_a_removed_address_or_customer_does_not_match(gone: str) -> None:
    hanako = having("hanako", active=gone != "inactive")
    Address.objects.update(dropped=gone == "dropped")

    assert writes("1").customer != hanako


def test_the_customer_is_loaded_with_all_columns() -> None:
    clerk = factories.employee("aoi", hours={"mon": "08:00-12:00"})
    hanako = having("hanako", owner=clerk, timezone="Asia/Tokyo", language="ja", url="/clients/1/")
    talk(hanako, last=5)

    conversation = writes("1").conversation

    for found, row in (
        (conversation, Conversation.objects.get()),
        (conversation.customer, Customer.objects.get()),
        (conversation.employee, Employee.objects.get()),
    ):
        assert found is not None
        values = {field.attname: getattr(found, field.attname) for field in row._meta.concrete_fields}
        assert values == {name: getattr(row, name) for name in values}


def test_a_known_customers_message_takes_one_query_and_three_writes() -> None:
    talk(having("hanako"), last=5)
    writes("1")

    with CaptureQueriesContext(connection) as captured:
        writes("2")

    assert work(captured) == ["SELECT", *CHANGES[connection.vendor == "postgresql"]]
    assert CarrierEventId.objects.filter(message__isnull=False).count() == Message.objects.count() == 2
    assert Conversation.objects.get().unread == 2


def test_a_chat_message_takes_no_more_statements() -> None:
    conversation = talk(having("hanako", owner=factories.employee("aoi")), last=5)
    inbound = InboundMessage(
        channel="chat", event_id="1", from_address="", text="Hello", occurred_at=NOW,
        reply_tokens=(conversation.reply_token,),
    )  # fmt: skip

    with CaptureQueriesContext(connection) as captured:
        received = gateway.receive(inbound)

    assert received.conversation == conversation
    assert work(captured) == ["SELECT", *CHANGES[connection.vendor == "postgresql"]]


def test_post_save_is_sent_after_the_insert() -> None:
    found: list[bool] = []

    def listen(instance: Message, **kwargs: Any) -> None:
        found.append(Message.objects.filter(pk=instance.pk, conversation__isnull=False).exists())
        assert not instance._state.adding

    post_save.connect(listen, sender=Message)
    try:
        writes("1")
    finally:
        post_save.disconnect(listen, sender=Message)

    assert found == [True]


def test_an_older_message_received_late_does_not_move_times_back() -> None:
    conversation = talk(having("hanako"), last=5)

    writes("1", at=NOW - timedelta(days=2))

    row = Conversation.objects.get(pk=conversation.pk)
    assert row.last_message_at == NOW - timedelta(minutes=5)
    assert row.waiting_since == NOW - timedelta(days=2)

"""Writes that are sent together: all of them or none, on every database, and those after them go out by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Event, Message, Pending
from crm_contact_guard.record.recording import record_event, record_message
from crm_contact_guard.record.statements import together
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


def say(talk: Conversation, text: str = "Hello", **more: Any) -> Message:
    return record_message(
        conversation=talk, direction="inbound", channel="chat", occurred_at=factories.office_time(), text=text, **more
    )


def happens(message: Message) -> Event:
    return record_event(
        kind="test", subject_type="message", subject_id=message.pk, actor_type="system", message=message
    )


@pytest.mark.parametrize("events", [0, 1, 2])
def test_all_is_written_when_the_block_ends_and_receivers_are_told(talk: Conversation, events: int) -> None:
    told: list[tuple[Any, bool, Any]] = []

    def after(instance: Message, created: bool, **_: Any) -> None:
        told.append((instance.pk, Message.objects.filter(pk=instance.pk).exists(), instance._state.db))

    post_save.connect(after, sender=Message)
    queued = Pending.objects.count()
    try:
        with CaptureQueriesContext(connection) as queries, together(database.alias()):
            message = say(talk)
            for _ in range(events):
                happens(message)
    finally:
        post_save.disconnect(after, sender=Message)

    assert told == [(message.pk, True, database.alias())]
    assert Message.objects.get().text == "Hello"
    assert Event.objects.filter(message=message).count() == events
    assert Pending.objects.count() == queued + 1 + events
    inserts = [query for query in queries if "INSERT INTO" in query["sql"]]
    assert len(inserts) == (1 if connection.vendor == "postgresql" else 1 + events)


def test_a_block_without_a_write_sends_nothing() -> None:
    with CaptureQueriesContext(connection) as queries, together(database.alias()):
        pass

    assert len(queries) == 0


@pytest.mark.parametrize("before", [0, 1])
def test_one_refused_write_undoes_the_others_and_later_ones_go_through(talk: Conversation, before: int) -> None:
    first = say(talk)

    def says_the_first_again() -> None:
        with transaction.atomic(), together(database.alias()):
            for _ in range(before):
                happens(first)
            say(talk, "again", message_id=first.pk)

    with pytest.raises(DatabaseError):
        says_the_first_again()

    assert Message.objects.get().text == "Hello"
    assert not Event.objects.filter(kind="test").exists()
    assert happens(first) == Event.objects.get(kind="test")


def test_what_fails_within_the_block_writes_nothing(talk: Conversation) -> None:
    def breaks() -> None:
        with transaction.atomic(), together(database.alias()):
            say(talk)
            raise LookupError("before the end")

    with pytest.raises(LookupError):
        breaks()

    assert not Message.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        say(talk)
        assert Message.objects.exists(), "at once, outside a block"
    assert any("INSERT INTO" in query["sql"] for query in queries)


def test_a_refusal_that_is_caught_still_rolls_the_transaction_back(talk: Conversation) -> None:
    """Otherwise PostgreSQL would refuse every later query, and SQLite would keep half of the writes."""
    first = say(talk)

    with transaction.atomic():
        try:
            with together(database.alias()):
                say(talk, "again", message_id=first.pk)
        except DatabaseError:
            refused = transaction.get_connection().needs_rollback
            transaction.set_rollback(True)

    assert refused

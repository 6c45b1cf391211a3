"""A recorded row as it is written: what it keeps of what it is given, and what it makes of what no database holds."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.signals import post_save, pre_save
from django.utils import timezone

from crm_contact_guard.proof import canonical
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import (
    event_open_values,
    message_open_values,
    record_event,
    record_message,
)
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Conversation:
    made = factories.conversation(factories.employee("aoi"))
    Conversation.objects.filter(pk=made.pk).update(tenant="kaede")
    made.refresh_from_db()
    return made


def message(talk: Conversation, **more: Any) -> Message:
    given = {"direction": "inbound", "channel": "chat", "occurred_at": factories.office_time(), "text": "Hello", **more}
    return Message.objects.get(pk=record_message(conversation=talk, **given).pk)


def event(**more: Any) -> Event:
    given = {"kind": "test.happened", "subject_type": "test", "subject_id": "1", "actor_type": "system", **more}
    return Event.objects.get(pk=record_event(**given).pk)


def test_a_message_with_nothing_but_its_text(talk: Conversation) -> None:
    before = timezone.now()

    row = message(talk)

    assert (row.tenant, row.conversation, row.customer, row.employee) == ("kaede", talk, talk.customer, None)
    assert (row.kind, row.source, row.carrier_id, row.reply_to) == ("message", "live", "", None)
    assert (row.subject, row.quoted, row.details, row.files) == (None, None, None, None)
    assert (row.from_name, row.from_address, row.to_name, row.to_address) == (None, None, None, None)
    assert before <= row.recorded_at <= timezone.now()
    assert row.format == canonical.FORMAT


def test_a_message_with_everything(talk: Conversation) -> None:
    first, key = message(talk), uuid4()

    row = message(
        talk, kind="call", subject="Hi", quoted="> before", from_name="Hanako", from_address="h@gmail.com",
        to_name="Aoi", to_address="guests@kaede.example", details={"b": 1, "a": "あ"}, files=[{"name": "menu.txt"}],
        carrier_id="<1@gmail.com>", reply_to_id=first.pk, source="backfill", message_id=key,
        employee_id=talk.employee_id,
    )  # fmt: skip

    assert (row.pk, row.kind, row.subject, row.quoted) == (key, "call", "Hi", "> before")
    assert (row.from_name, row.from_address) == ("Hanako", "h@gmail.com")
    assert (row.to_name, row.to_address) == ("Aoi", "guests@kaede.example")
    assert (json.loads(row.details or ""), json.loads(row.files or "")) == (
        {"a": "あ", "b": 1},
        [{"name": "menu.txt"}],
    )
    assert (row.carrier_id, row.reply_to, row.source, row.employee) == (
        "<1@gmail.com>",
        first,
        "backfill",
        talk.employee,
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [("<a\r\nb\tc>", "<abc>"), ("x" * 300, "x" * 255), ("\n" * 300 + "x" * 255, "x" * 255), ("a\0b", "a\ufffdb")],
)
def test_a_carriers_id_is_one_line_that_fits(talk: Conversation, given: str, kept: str) -> None:
    assert message(talk, carrier_id=given).carrier_id == kept


def test_what_no_database_holds_is_mended_in_every_text(talk: Conversation) -> None:
    names = ("subject", "text", "quoted", "from_name", "from_address", "to_name", "to_address")

    row = message(talk, **dict.fromkeys(names, "a\0b\ud800"))
    assert {getattr(row, name) for name in names} == {"a\ufffdb\ufffd"}
    assert event(reason="a\0b").reason == "a\ufffdb"


def test_an_event_with_nothing_but_its_kind() -> None:
    before = timezone.now()

    row = event(tenant="kaede")

    assert (row.tenant, row.conversation, row.message, row.actor, row.data) == ("kaede", None, None, "", "{}")
    assert (row.reason, row.details) == (None, None)
    assert row.occurred_at == row.recorded_at
    assert before <= row.recorded_at <= timezone.now()


def test_an_event_of_a_message_is_one_of_its_talk_and_tenant(talk: Conversation) -> None:
    other = factories.conversation(talk.employee, name="Robert King")
    of = message(talk)

    assert (event(message=of).conversation, event(message=of).tenant) == (talk, "kaede")
    named = event(message=of, conversation=other, tenant="elsewhere")
    assert (named.conversation, named.message, named.tenant) == (other, of, other.tenant)


def test_an_event_with_everything(talk: Conversation) -> None:
    at, who = factories.office_time() - timedelta(days=1), uuid4()

    row = event(
        subject_id=who, actor_type="employee", actor=who, conversation=talk, occurred_at=at, data={"b": 1, "a": None},
        reason="Since.", details={"to": "x"},
    )  # fmt: skip

    assert (row.kind, row.subject_type, row.subject_id) == ("test.happened", "test", str(who))
    assert (row.actor_type, row.actor, row.occurred_at) == ("employee", str(who), at)
    assert (json.loads(row.data), row.reason, json.loads(row.details or "")) == (
        {"a": None, "b": 1},
        "Since.",
        {"to": "x"},
    )


def test_each_row_has_salts_of_its_own_and_the_leaf_that_its_values_give(talk: Conversation) -> None:
    rows = [message(talk), message(talk)]
    happened = [event(conversation=talk), event(conversation=talk)]

    for kind, found, names, values in (
        ("message", rows, canonical.MESSAGE_PERSONAL, message_open_values),
        ("event", happened, canonical.EVENT_PERSONAL, event_open_values),
    ):
        assert len({bytes(row.salt or b"") for row in found}) == 2  # type: ignore[attr-defined]
        for row in found:  # type: ignore[attr-defined]
            salt = bytes(row.salt)
            assert len(salt) == 16 * len(names)
            digests = canonical.personal_digests(names, salt, {name: getattr(row, name) for name in names})
            assert bytes(row.digests) == digests
            assert bytes(row.leaf_hash) == canonical.leaf_hash(canonical.leaf_bytes(kind, values(row), digests))  # type: ignore[operator]


def test_the_open_values_of_a_row_are_these(talk: Conversation) -> None:
    first = message(talk)
    row = message(talk, employee_id=talk.employee_id, reply_to_id=first.pk)
    happened = event(message=row)

    values = message_open_values(row)
    assert (values["employee"], values["reply_to"]) == (str(talk.employee_id), str(first.pk))
    assert message_open_values(first)["employee"] is message_open_values(first)["reply_to"] is None
    told = event_open_values(happened)
    assert (told["conversation"], told["message"]) == (str(talk.pk), str(row.pk))
    assert event_open_values(event())["conversation"] is event_open_values(event())["message"] is None


def test_a_hosts_receivers_are_called_as_by_save(talk: Conversation) -> None:
    """Before and after the insert, with what ``save`` tells them."""
    calls: list[tuple[str, bool, bool, bool | None]] = []

    def before(instance: Message, **_: Any) -> None:
        calls.append(("before", instance._state.adding, Message.objects.filter(pk=instance.pk).exists(), None))

    def after(instance: Message, created: bool, raw: bool, **_: Any) -> None:
        assert not raw
        calls.append(("after", instance._state.adding, Message.objects.filter(pk=instance.pk).exists(), created))

    pre_save.connect(before, sender=Message)
    post_save.connect(after, sender=Message)
    try:
        row = record_message(
            conversation=talk, direction="inbound", channel="chat", occurred_at=factories.office_time(), text="Hello"
        )
    finally:
        pre_save.disconnect(before, sender=Message)
        post_save.disconnect(after, sender=Message)

    assert calls == [("before", True, False, None), ("after", False, True, True)]
    assert row._state.db == "default"

"""Import of older messages of the host: recorded once, marked as backfilled, without alerts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command

from crm_contact_guard.intake.backfill import OldMessage
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision import inspection
from tests import factories

pytestmark = pytest.mark.django_db

OLD: list[OldMessage] = []


def source() -> Iterator[OldMessage]:
    """The callable passed to the command."""
    yield from OLD


@pytest.fixture
def old() -> OldMessage:
    clerk = factories.employee("aoi")
    customer = factories.customer(manager=clerk)
    return OldMessage(
        key="mail-1",
        customer_key=str(customer.key),
        employee_key=clerk.key,
        direction="inbound",
        channel="fax",
        text="Please confirm the booking",
        sent_at=datetime.fromisoformat("2024-03-01T10:00:00+09:00"),
    )


def run(*messages: OldMessage, **options: Any) -> str:
    OLD[:] = messages
    out = io.StringIO()
    call_command("contact_guard_backfill", "tests.intake.test_backfill.source", stdout=out, stderr=out, **options)
    return out.getvalue()


def test_long_threads_with_the_same_beginning_are_not_mixed(old: OldMessage) -> None:
    first = replace(old, thread="t" * 300 + "1")

    run(first, replace(first, key="mail-2", thread="t" * 300 + "2", text="odd \0 bytes"))

    assert Conversation.objects.count() == 2
    assert Message.objects.filter(text="odd \ufffd bytes").exists()


@pytest.mark.parametrize("change", [{"key": "k" * 256}, {"key": ""}, {"channel": "fax\n"}, {"channel": "c" * 65}])
def test_values_that_are_too_long_are_refused(old: OldMessage, change: dict[str, str]) -> None:
    with pytest.raises(SystemExit):
        run(old, replace(old, text="second", **change))

    assert Message.objects.get().text == old.text


def test_old_messages_are_recorded_once_and_marked(old: OldMessage) -> None:
    second = replace(old, key="mail-2", direction="outbound", text="Confirmed")

    assert "2 recorded, 0 known already" in run(old, second)
    assert "0 recorded, 2 known already" in run(old, second)

    message = Message.objects.get(text="Please confirm the booking")
    assert (message.source, message.channel, message.occurred_at) == ("backfill", "fax", old.sent_at)
    assert message.recorded_at > old.sent_at
    assert Conversation.objects.get().state == Conversation.State.CLOSED
    assert inspection.uninspected(since=old.sent_at) == []


def test_refused_messages_are_reported_and_the_others_recorded(old: OldMessage) -> None:
    bad = [
        replace(old, key="no-customer", customer_key="nobody"),
        replace(old, key="no-employee", employee_key="nobody"),
        replace(old, key="future", sent_at=datetime.fromisoformat("2999-01-01T00:00:00+00:00")),
        replace(old, key="naive", sent_at=datetime(2024, 1, 1)),  # noqa: DTZ001 - that is the fault
    ]
    OLD[:] = [*bad, old]
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("contact_guard_backfill", "tests.intake.test_backfill.source", stdout=out, stderr=err)

    assert ended.value.code == 1
    assert "1 recorded, 0 known already, 4 refused" in out.getvalue()
    assert all(repr(message.key) in err.getvalue() for message in bad)
    assert Message.objects.count() == 1


def test_a_dry_run_records_nothing(old: OldMessage) -> None:
    assert "1 would be recorded" in run(old, dry_run=True)
    assert not Message.objects.exists()

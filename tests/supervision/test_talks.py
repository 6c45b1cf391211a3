"""How much of a talk is read with a message: so many messages, so many days, no notes, and nothing that came later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.talks import as_thread, talk_up_to
from tests import factories

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


def says(conversation: Conversation, after: timedelta, direction: str = "inbound", text: str = "Hello") -> Message:
    return factories.recorded(conversation, text, direction=direction, occurred_at=factories.office_time() + after)


def test_a_week_is_read_and_not_a_moment_more(conversation: Conversation) -> None:
    _too_old = says(conversation, -WEEK - MOMENT)
    oldest = says(conversation, -WEEK)
    asked = says(conversation, timedelta(0))
    _later = says(conversation, MOMENT)

    assert talk_up_to(asked) == [oldest, asked]


def test_thirty_messages_are_read_the_newest(conversation: Conversation) -> None:
    messages = [says(conversation, timedelta(minutes=number)) for number in range(40)]

    assert talk_up_to(messages[35]) == messages[6:36]


def test_of_messages_of_one_moment_the_one_asked_about_is_the_newest(conversation: Conversation) -> None:
    first, second, third = (says(conversation, timedelta(0)) for _ in range(3))

    for asked in (first, second, third):
        *before, last = talk_up_to(asked)
        assert last == asked
        assert {*before, last} == {first, second, third}


def test_notes_and_other_talks_are_not_read_along_and_a_note_is_read_alone(conversation: Conversation) -> None:
    other = factories.conversation(conversation.employee, name="Robert King")
    says(other, timedelta(0))
    said = says(conversation, timedelta(0))
    note = says(conversation, MOMENT, "note")
    answer = says(conversation, 2 * MOMENT, "outbound")

    assert talk_up_to(answer) == [said, answer]
    assert talk_up_to(note) == [note]


def test_the_pauses_are_told_in_minutes(conversation: Conversation) -> None:
    rows = [says(conversation, timedelta(seconds=seconds), text=f"{seconds}") for seconds in (0, 90, 3690)]

    assert [(said.text, said.direction.value, said.minutes_after_previous) for said in as_thread(rows)] == [
        ("0", "inbound", 0), ("90", "inbound", 1.5), ("3690", "inbound", 60),
    ]  # fmt: skip

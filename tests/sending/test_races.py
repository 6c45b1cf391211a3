"""Writers, supervisors and workers act on the same message at the same moment: one of them wins."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections

from crm_contact_guard import gateway, tasks
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPossible
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.sending.holds import hold_approve, hold_reject
from crm_contact_guard.sending.recalling import recall
from tests import factories
from tests.sending.conftest import faults, steps

pytestmark = pytest.mark.django_db(transaction=True)

#: How many messages are raced for. ``CONTACT_GUARD_RACES=200`` races for more.
RACES = int(os.environ.get("CONTACT_GUARD_RACES", "8"))
#: The tests' SQLite is in memory and refuses a second connection instead of letting it wait.
THREADS = 1 if connection.vendor == "sqlite" else 6
HELD = "個人のLINEは aoi_private です。こちらにどうぞ"


@pytest.fixture
def talk(configure: Callable[..., None], settings: Any) -> Conversation:
    memory = {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"}
    configure(
        CHANNELS={**settings.CONTACT_GUARD["CHANNELS"], "memory": memory},
        TASKS="inline",
        RULES={"attempt": "hold"},
        UNDO_SECONDS=0.02,
    )
    desk = factories.team(head="chief", deputy="vice")
    return factories.conversation(factories.employee("aoi", branch=desk), channel="memory")


def written(talk: Conversation, text: str, **more: Any) -> Message:
    message = gateway.send(actor=talk.employee, conversation=talk, text=text, channel="memory", **more).message  # type: ignore[arg-type]
    assert message is not None
    return message


def at_once(acts: list[Callable[[], Any]]) -> list[str]:
    """Run the acts in random order on several connections; return how each ended."""

    def one(act: Callable[[], Any]) -> str:
        try:
            act()
        except NotPossible:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    random.shuffle(acts)
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, acts))


def check(message: Message, *, goes: tuple[str, ...]) -> None:
    """The carrier got the message once if it was released, and never otherwise."""
    told, text = steps(message), message.text
    times = [sent.text for sent in MemoryChannel.sent].count(text or "")
    assert times == told.count("released")
    assert told.count("released") + sum(told.count(word) for word in goes) == 1, told


def test_a_recall_and_several_workers(talk: Conversation) -> None:
    for number in range(RACES):
        message = written(talk, f"Number {number}")
        key: UUID = message.pk

        def work(key: UUID = key) -> None:
            tasks.release(str(key))
            tasks.deliver(str(key))

        at_once([work, work, work, lambda key=key: recall(actor=talk.employee, message_id=key)])  # type: ignore[misc, arg-type]
        while steps(message)[-1] == "waiting":
            tasks.sweep()
        check(message, goes=("recalled",))
    assert faults() == []


def test_two_supervisors_and_the_writer(talk: Conversation) -> None:
    people = {person.name: person for person in Employee.objects.all()}
    for number in range(RACES):
        message = written(talk, f"{HELD} {number}")
        key: UUID = message.pk
        ended = at_once(
            [
                lambda key=key: hold_approve(actor=people["Chief"], message_id=key),  # type: ignore[misc]
                lambda key=key: hold_reject(actor=people["Vice"], message_id=key, reason="Private"),  # type: ignore[misc]
                lambda key=key: recall(actor=people["Aoi"], message_id=key),  # type: ignore[misc]
            ]
        )
        assert ended.count("done") >= 1
        tasks.sweep()
        check(message, goes=("rejected", "recalled"))
    assert faults() == []

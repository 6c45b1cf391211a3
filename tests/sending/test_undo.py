"""Sending can be undone for some seconds, and nothing that was undone ever reaches the customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import TestCase

from crm_contact_guard import tasks
from crm_contact_guard.conversations.quotes import earlier_words
from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import NotPermitted, NotPossible
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.supervision.models import Alert, Inspection
from tests.sending.conftest import Desk, faults, steps

GIVES = "個人のLINEは aoi_private です。こちらにどうぞ"


def sends(desk: Desk, text: str = "Your room is ready.", **more: Any) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return desk.send(text, **more).message


def test_a_message_goes_when_its_seconds_are_over_and_not_before(desk: Desk) -> None:
    desk.says()
    message = sends(desk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        desk.later(4.9)
    assert desk.handed_over == []

    with TestCase.captureOnCommitCallbacks(execute=True):
        desk.later(0.2)

    assert desk.handed_over == ["Your room is ready."]
    assert steps(message) == ["waiting", "released", "attempted", "sent"]
    assert Inspection.objects.filter(message=message).exists()
    assert faults() == []


def test_what_was_undone_never_goes_and_answers_nobody(desk: Desk) -> None:
    asked = desk.says()
    message = sends(desk)
    desk.talk.refresh_from_db()
    assert (desk.talk.waiting_since, desk.talk.unread) == (asked.occurred_at, 1)

    recall(actor=desk.people["aoi"], message_id=message.pk)
    for _ in range(3):
        with TestCase.captureOnCommitCallbacks(execute=True):
            desk.later(3600)
            tasks.deliver(str(message.pk))
            tasks.release(str(message.pk))

    assert desk.handed_over == []
    assert steps(message) == ["waiting", "recalled"]
    desk.talk.refresh_from_db()
    assert (desk.talk.waiting_since, desk.talk.unread) == (asked.occurred_at, 1)
    assert not Inspection.objects.filter(message=message).exists()
    assert faults() == []


def test_the_customer_waits_until_the_message_has_gone(desk: Desk) -> None:
    desk.says()
    sends(desk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        desk.later(6)

    desk.talk.refresh_from_db()
    assert (desk.talk.waiting_since, desk.talk.unread) == (None, 0)


def test_a_customer_who_wrote_meanwhile_still_waits(desk: Desk) -> None:
    desk.says("First?")
    sends(desk)
    desk.clock.forward(1)
    second = desk.says("And the second thing?")
    with TestCase.captureOnCommitCallbacks(execute=True):
        desk.later(6)

    assert desk.handed_over == ["Your room is ready."]
    desk.talk.refresh_from_db()
    assert desk.talk.waiting_since == second.occurred_at
    assert faults() == []


def test_a_recall_that_comes_too_late_says_so(desk: Desk) -> None:
    message = sends(desk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        desk.later(6)

    with pytest.raises(NotPossible, match="already gone out"):
        recall(actor=desk.people["aoi"], message_id=message.pk)

    assert steps(message)[-1] == "sent"


def test_a_message_is_taken_back_once(desk: Desk) -> None:
    message = sends(desk)
    recall(actor=desk.people["aoi"], message_id=message.pk)

    with pytest.raises(NotPossible):
        recall(actor=desk.people["aoi"], message_id=message.pk)

    assert steps(message) == ["waiting", "recalled"]


@pytest.mark.parametrize("who", ["ken", "chief", "vice", "compliance", "auditor"])
def test_nobody_but_its_writer_takes_a_message_back(desk: Desk, who: str) -> None:
    message = sends(desk)

    with pytest.raises(NotPermitted):
        recall(actor=desk.people[who], message_id=message.pk)

    assert steps(message) == ["waiting"]


def test_whoever_moves_a_message_first_decides(desk: Desk) -> None:
    message = sends(desk)
    worker, writer = waits.wait_of(message.pk), waits.wait_of(message.pk)
    assert worker is not None
    assert writer is not None

    assert waits.move(writer, "recalled", actor=desk.people["aoi"])
    assert not waits.move(worker, "released")

    assert steps(message) == ["waiting", "recalled"]
    assert Delivery.objects.get(message=message).state == "recalled"


@pytest.mark.parametrize("override", [None, Override(code=OverrideCode.EMERGENCY)])
def test_an_emergency_goes_at_once(desk: Desk, override: Override | None) -> None:
    message = sends(desk, emergency=override is None, override=override)

    assert desk.handed_over == ["Your room is ready."]
    assert steps(message) == ["queued", "attempted", "sent"]


def test_each_kind_of_channel_has_seconds_of_its_own(desk: Desk, configure: Callable[..., None]) -> None:
    configure(UNDO_SECONDS={"email": 10})

    assert steps(sends(desk)) == ["queued", "attempted", "sent"]
    desk.talk.customer.addresses.create(kind="email", value="h@gmail.com", normalised="h@gmail.com")
    mail = desk.send(channel="email")
    assert desk.wait(mail).due_at == desk.clock.now + timedelta(seconds=10)


@pytest.mark.parametrize("value", [-1, 61, "5", True, {"sms": 5}, {"chat": "5"}])
def test_bad_seconds_are_found_by_the_check(configure: Callable[..., None], value: Any) -> None:
    configure(UNDO_SECONDS=value)

    with pytest.raises(SystemCheckError, match=r"UNDO_SECONDS.*E010|E010.*UNDO_SECONDS"):
        call_command("check", "--tag", "crm_contact_guard")


def test_what_was_undone_is_no_quote_and_no_evidence(desk: Desk) -> None:
    """A number that the customer never got can't be hidden in a "quote" of it, nor make a talk suspicious."""
    words = Override(code=OverrideCode.OTHER, text="The guest asked.")
    message = sends(desk, GIVES, override=words)
    recall(actor=desk.people["aoi"], message_id=message.pk)

    assert GIVES not in earlier_words(Conversation.objects.get(pk=desk.talk.pk))
    with TestCase.captureOnCommitCallbacks(execute=True):
        tasks.inspect(str(desk.says("Thank you, I will.").pk))
        tasks.sweep()
    assert not Alert.objects.exists()


def test_a_new_message_names_the_one_it_was_written_instead_of(desk: Desk) -> None:
    first = sends(desk)
    recall(actor=desk.people["aoi"], message_id=first.pk)

    second = desk.send("Your room will be ready at three.", replaces=first)
    assert desk.wait(second).replaces == first
    third = desk.send("Not linked", replaces=second.message)
    assert desk.wait(third).replaces is None
    assert faults() == []

"""A held message goes when somebody approves it, and in no other way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import TestCase

from crm_contact_guard import gateway, tasks
from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.models import Delivery, Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.notices import listing
from crm_contact_guard.policy.decision import Action
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.sending.holds import hold_approve, hold_reject, hold_return
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.sending.rights import holds
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.sending.conftest import Desk, faults, steps

GIVES = "個人のLINEは aoi_private です。こちらにどうぞ"


@pytest.fixture(autouse=True)
def rules(configure: Callable[..., None], desk: Desk) -> None:
    configure(RULES={"attempt": "hold", "after_hours": "schedule"})


def committed(act: Callable[[], Any]) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return act()


def held(desk: Desk, **more: Any) -> Message:
    sent: gateway.Sent = committed(lambda: desk.send(GIVES, **more))
    assert sent.decision.action is Action.HOLD
    assert sent.message is not None
    return sent.message


def test_a_held_message_waits_for_the_supervisor_who_is_told(desk: Desk) -> None:
    desk.says()
    message = held(desk)

    assert desk.handed_over == []
    assert [wait.pk for wait in holds(desk.people["chief"])] == [message.pk]
    assert Delivery.objects.get(message=message).state == "held"
    assert [one.to for one in mail.outbox] == [["chief@kaede.example"]]
    assert "aoi_private" not in mail.outbox[0].body
    desk.talk.refresh_from_db()
    assert desk.talk.waiting_since is not None
    assert not Alert.objects.exists()
    assert faults() == []


@pytest.mark.parametrize("who", ["chief", "vice", "compliance"])
def test_what_is_approved_goes_once(desk: Desk, who: str) -> None:
    message = held(desk)
    committed(lambda: hold_approve(actor=desk.people[who], message_id=message.pk))
    for _ in range(2):
        committed(lambda: tasks.release(str(message.pk)))
        committed(lambda: desk.later(60))

    assert desk.handed_over == [GIVES]
    assert steps(message)[:3] == ["held", "approved", "released"]
    assert desk.wait(gateway.Sent(message=message, decision=None, scan=None)).decided_by == desk.people[who]  # type: ignore[arg-type]
    assert faults() == []


@pytest.mark.parametrize("who", ["aoi", "ken", "boss", "auditor"])
def test_nobody_else_decides(desk: Desk, who: str) -> None:
    message = held(desk)
    person = desk.people[who]

    for act in (
        lambda: hold_approve(actor=person, message_id=message.pk),
        lambda: hold_return(actor=person, message_id=message.pk, remark="Please"),
        lambda: hold_reject(actor=person, message_id=message.pk, reason="No"),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert steps(message) == ["held"]
    assert holds(person).exists() == (who == "auditor")


def test_a_supervisors_own_message_is_decided_by_the_deputy(desk: Desk) -> None:
    chief = desk.people["chief"]
    desk.talk = factories.conversation(chief, channel="memory", name="Jiro Ito")
    message = held(desk, actor=chief)

    assert [one.to for one in mail.outbox] == [["vice@kaede.example"]]
    with pytest.raises(NotPermitted):
        hold_approve(actor=chief, message_id=message.pk)
    committed(lambda: hold_approve(actor=desk.people["vice"], message_id=message.pk))
    assert desk.handed_over == [GIVES]


def test_the_first_decision_counts(desk: Desk) -> None:
    message = held(desk)
    hold_reject(actor=desk.people["vice"], message_id=message.pk, reason="A private account")

    with pytest.raises(NotPossible):
        hold_approve(actor=desk.people["chief"], message_id=message.pk)
    with pytest.raises(NotPossible):
        recall(actor=desk.people["aoi"], message_id=message.pk)

    committed(lambda: desk.later(86400 * 30))
    assert desk.handed_over == []
    assert steps(message) == ["held", "rejected"]
    assert Event.objects.get(kind="delivery.rejected").reason == "A private account"


@pytest.mark.parametrize("words", ["", "  ", "x" * 1001])
def test_a_message_is_returned_and_rejected_with_words(desk: Desk, words: str) -> None:
    message = held(desk)

    with pytest.raises(InvalidMessage):
        hold_return(actor=desk.people["chief"], message_id=message.pk, remark=words)
    with pytest.raises(InvalidMessage):
        hold_reject(actor=desk.people["chief"], message_id=message.pk, reason=words)
    assert steps(message) == ["held"]


@pytest.mark.parametrize(("ends", "word"), [("return", "returned"), ("expire", "expired")])
def test_without_a_decision_it_ends_and_is_never_sent(
    desk: Desk, configure: Callable[..., None], ends: str, word: str
) -> None:
    configure(HOLD_ENDS=ends)
    message = held(desk)
    committed(lambda: desk.later(86400 * 7))
    committed(lambda: desk.later(86400))

    assert desk.handed_over == []
    assert steps(message) == ["held", word]
    with pytest.raises(NotPossible):
        hold_approve(actor=desk.people["chief"], message_id=message.pk)
    assert faults() == []


def test_the_deadline_counts_the_supervisors_working_hours(desk: Desk, configure: Callable[..., None]) -> None:
    """Held on Tuesday at 10:00; the supervisor works from 9 to 18, on weekdays."""
    configure(WORKING_HOURS={"mon-fri": "09:00-18:00"})
    Employee.objects.filter(pk=desk.people["chief"].pk).update(working_hours={}, timezone="Asia/Tokyo")
    for hours, until in ((8, "2026-11-24T18:00"), (9, "2026-11-25T10:00"), (0.5, "2026-11-24T10:30")):
        configure(HOLD_HOURS=hours)
        due_at = desk.wait(desk.send(GIVES)).due_at
        assert due_at == datetime.fromisoformat(f"{until}:00+09:00")


def test_the_supervisor_is_reminded_once(desk: Desk) -> None:
    held(desk)
    committed(lambda: desk.later(3600 * 3))
    assert len(mail.outbox) == 1
    for _ in range(3):
        committed(lambda: desk.later(3600))

    assert len(mail.outbox) == 2
    assert Event.objects.filter(kind="delivery.reminded").count() == 1
    assert faults() == []


@pytest.mark.parametrize("end", ["approve", "recall", "expire"])
def test_notices_are_read_when_nobody_has_to_decide_any_more(desk: Desk, end: str) -> None:
    message = held(desk)
    chief = desk.people["chief"]
    assert listing.unread(chief) == 1
    [shown] = listing.listed(chief, only_unread=True)
    assert shown.line is not None
    assert shown.line.text == "A message by Aoi waits for you"
    committed(lambda: desk.later(3600 * 5))
    [shown] = listing.listed(chief, only_unread=True)
    assert shown.line is not None
    assert shown.line.text == "Please decide soon about a message by Aoi"

    if end == "approve":
        committed(lambda: hold_approve(actor=desk.people["vice"], message_id=message.pk))
    elif end == "recall":
        recall(actor=desk.people["aoi"], message_id=message.pk)
    else:
        committed(lambda: desk.later(86400 * 30))
    assert not listing.mine(chief).filter(topic="held_message", read_at=None).exists()
    assert faults() == []


def test_what_is_approved_at_night_goes_in_the_morning(desk: Desk, configure: Callable[..., None]) -> None:
    configure(HOLD_HOURS=30)
    message = held(desk)
    desk.clock.forward(3600 * 13)
    committed(lambda: hold_approve(actor=desk.people["vice"], message_id=message.pk))
    assert desk.handed_over == []
    assert steps(message) == ["held", "approved", "rescheduled"]

    committed(lambda: desk.later(3600 * 11))
    assert desk.handed_over == [GIVES]


def test_an_emergency_is_never_held(desk: Desk) -> None:
    committed(lambda: desk.send(GIVES, emergency=True))

    assert desk.handed_over == [GIVES]
    [told] = [sent for sent in mail.outbox if "緊急" in sent.subject]
    assert told.to == ["chief@kaede.example"]
    assert "aoi_private" not in told.body
    assert faults() == []


def test_nobody_is_reminded_of_what_was_decided(desk: Desk) -> None:
    message = held(desk)
    wait = Wait.objects.get(pk=message.pk)
    committed(lambda: hold_reject(actor=desk.people["chief"], message_id=message.pk, reason="Not so."))

    assert not waits.remind(wait, desk.clock.now)
    assert Wait.objects.get(pk=message.pk).reminded_at is None


def test_the_writer_sees_what_waits_and_what_was_decided_against(desk: Desk) -> None:
    message = held(desk)
    assert [wait.pk for wait in waits.unsent_of(desk.people["aoi"], desk.clock.now)] == [message.pk]
    assert not waits.unsent_of(desk.people["chief"], desk.clock.now)

    committed(lambda: hold_reject(actor=desk.people["chief"], message_id=message.pk, reason="Not so."))

    assert [wait.pk for wait in waits.unsent_of(desk.people["aoi"], desk.clock.now)] == [message.pk]
    assert not waits.unsent_of(desk.people["aoi"], desk.clock.now + waits.LATELY + timedelta(seconds=1))

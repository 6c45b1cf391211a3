"""Messages for later: by the writer's choice or the company's rules; judged again when their time comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import TestCase

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.delivery.models import Delivery, Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy.decision import Action, Override, OverrideCode
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert
from tests.sending.conftest import Desk, faults, steps

GIVES = "個人のLINEは aoi_private です。こちらにどうぞ"
MORNING = datetime.fromisoformat("2026-11-25T09:00:00+09:00")


def committed(act: Callable[[], Any]) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return act()


def at_night(desk: Desk) -> None:
    desk.clock.forward(3600 * 13)


def test_a_message_goes_at_the_time_that_its_writer_chose(desk: Desk) -> None:
    message = committed(lambda: desk.send(send_at=desk.clock.now + timedelta(hours=2))).message
    committed(lambda: desk.later(7199))
    assert desk.handed_over == []
    assert not Notice.objects.exists(), "nobody has to decide about it"

    committed(lambda: desk.later(1))
    assert desk.handed_over == ["Your room is ready."]
    assert Delivery.objects.get(message=message).updated_at == desk.clock.now
    assert steps(message) == ["waiting", "released", "attempted", "sent"]
    assert faults() == []


@pytest.mark.parametrize("seconds", [0, -1, 86400 * 90 + 1])
def test_times_that_have_passed_or_are_too_far_away_are_refused(desk: Desk, seconds: int) -> None:
    with pytest.raises(InvalidMessage) as refused:
        desk.send(send_at=desk.clock.now + timedelta(seconds=seconds))
    assert refused.value.field == "send_at"


def test_an_emergency_has_no_time(desk: Desk) -> None:
    with pytest.raises(InvalidMessage) as refused:
        desk.send(send_at=desk.clock.now + timedelta(hours=1), emergency=True)
    assert refused.value.field == "send_at"


def test_the_rule_lets_a_night_message_go_in_the_morning(desk: Desk, configure: Callable[..., None]) -> None:
    configure(RULES={"after_hours": "schedule"})
    at_night(desk)
    sent = committed(desk.send)
    assert (sent.decision.action, desk.wait(sent).due_at) == (Action.SCHEDULE, MORNING)

    committed(lambda: desk.later(3600 * 9))
    assert desk.handed_over == []
    committed(lambda: desk.later(3600))

    assert desk.handed_over == ["Your room is ready."]
    # It was sent in working hours, so it isn't after hours.
    assert not Alert.objects.exists()


def test_without_any_time_that_suits_both_nothing_is_sent(desk: Desk, configure: Callable[..., None]) -> None:
    configure(RULES={"after_hours": "schedule"})
    at_night(desk)
    Employee.objects.filter(pk=desk.people["aoi"].pk).update(working_hours={"mon": ""})
    desk.people["aoi"].refresh_from_db()

    sent = desk.send()

    assert (sent.message, sent.decision.earliest_send_at) == (None, None)
    assert not Wait.objects.exists()


def returned(desk: Desk, spoil: Callable[[], Any], **more: Any) -> list[str]:
    """Schedule a message, let something change, and let the time come. Return why it was kept back."""
    message = committed(lambda: desk.send(send_at=desk.clock.now + timedelta(hours=1), **more)).message
    spoil()
    committed(lambda: desk.later(3600))
    committed(lambda: desk.later(86400))
    assert desk.handed_over == []
    assert steps(message) == ["waiting", "returned"]
    assert faults() == []
    event = Event.objects.get(kind="delivery.returned")
    reasons: list[str] = json.loads(event.data)["reasons"]
    return reasons


def test_a_writer_who_left_sends_nothing_any_more(desk: Desk) -> None:
    def leaves() -> None:
        user = desk.people["aoi"].user
        user.is_active = False
        user.save()
        sync_all()

    assert returned(desk, leaves) == ["writer"]


def test_rules_that_changed_count(desk: Desk, configure: Callable[..., None]) -> None:
    words = Override(code=OverrideCode.OTHER, text="The guest asked.")

    def stricter() -> None:
        configure(RULES={"attempt": "block"})

    assert returned(desk, stricter, text=GIVES, override=words) == ["attempt"]


def test_rules_that_changed_count_for_files_as_well(desk: Desk, configure: Callable[..., None]) -> None:
    configure(RULES={"attempt": "deliver"})
    note = FileIn(name="note.txt", content_type="text/plain", content=GIVES.encode())
    sent = committed(
        lambda: desk.send(channel="chat", attachments=(note,), send_at=desk.clock.now + timedelta(hours=2))
    )

    configure(RULES={"attempt": "block"})
    committed(lambda: desk.later(7200))

    assert desk.handed_over == []
    assert desk.wait(sent).state == "returned"


def test_a_nudge_that_was_answered_is_not_asked_again(desk: Desk) -> None:
    words = Override(code=OverrideCode.OTHER, text="The guest asked.")
    committed(lambda: desk.send(GIVES, override=words, send_at=desk.clock.now + timedelta(hours=1)))
    committed(lambda: desk.later(3600))

    assert desk.handed_over == [GIVES]


def test_a_message_whose_rule_now_holds_it_goes_to_the_supervisor(desk: Desk, configure: Callable[..., None]) -> None:
    words = Override(code=OverrideCode.OTHER, text="The guest asked.")
    message = committed(lambda: desk.send(GIVES, override=words, send_at=desk.clock.now + timedelta(hours=1))).message
    configure(RULES={"attempt": "hold"})
    committed(lambda: desk.later(3600))

    assert desk.handed_over == []
    assert steps(message) == ["waiting", "held"]
    assert faults() == []


def test_a_message_that_is_still_too_early_is_scheduled_again(desk: Desk, configure: Callable[..., None]) -> None:
    configure(RULES={"after_hours": "schedule"})
    sent = committed(lambda: desk.send(send_at=desk.clock.now + timedelta(hours=7)))
    # The worker comes back only in the evening.
    committed(lambda: desk.later(3600 * 12))

    assert desk.handed_over == []
    assert desk.wait(sent).due_at == MORNING
    committed(lambda: desk.later(3600 * 11))
    assert desk.handed_over == ["Your room is ready."]

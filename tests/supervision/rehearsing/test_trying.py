"""What other rules would have done with past messages: compared with what the gateway does under those rules."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.policy.rulebook import Rulebook, from_settings
from crm_contact_guard.policy.thresholds import Thresholds
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.rehearsing.trying import Rehearsal, rehearse
from tests import factories

pytestmark = pytest.mark.django_db

ASK = "LINE交換しませんか？ID: hanako_22"
TEXTS = (
    ASK,
    "Your room is ready.",
    "ご予約を承りました。",
    "個人のLINEは aoi_private です。こちらにどうぞ",
    "Let's meet for a drink tonight, just us two",
)
MOMENT = timedelta(seconds=1)


def limits(alert: float) -> dict[Direction, Thresholds]:
    return dict.fromkeys(Direction, Thresholds(alert, alert))


def tried(rules: Rulebook, **more: Any) -> Rehearsal:
    total, now = Rehearsal(), timezone.now()
    given = {"tenant": "", "since": now - timedelta(days=90), "until": now + MOMENT, **more}
    list(rehearse(rules=rules, total=total, **given))
    return total


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi", hours={"mon-sun": "00:00-24:00"}))


def written(talk: Conversation, direction: str, text: str) -> Message:
    if direction == "inbound":
        message = factories.received(text, talk, occurred_at=timezone.now())
    else:
        reason = Override(code=OverrideCode.OTHER, text="Asked for")
        message = factories.sent(talk, text, "chat", override=reason)
    inspection.inspect(message, notify=False)
    return message


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_equal_what_the_rules_do_when_they_are_in_force(
    talk: Conversation, settings: Any, seed: int
) -> None:
    draw = random.Random(seed)
    for _number in range(12):
        written(talk, draw.choice(["inbound", "outbound"]), draw.choice(TEXTS))
    before = Event.objects.count(), Alert.objects.count()
    strict = replace(from_settings(), rules={"attempt": Action.BLOCK})

    found = tried(strict, batch=draw.choice([1, 5, 200]))

    outbound = Message.objects.filter(direction="outbound")
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "RULES": {"attempt": "block"}}
    blocked = [
        one.pk
        for one in outbound.order_by("recorded_at", "id")
        if gateway.preview(actor=one.employee, text=one.text or "").decision.action is Action.BLOCK
    ]
    assert (found.messages, found.outbound) == (12, outbound.count())
    assert {key: group.samples for key, group in found.decisions.items()} == (
        {(Action.NUDGE, Action.BLOCK): blocked} if blocked else {}
    )
    assert (found.appearing, found.vanishing) == ({}, {}), "the thresholds are the same"
    assert (Event.objects.count(), Alert.objects.count()) == before, "nothing is recorded"


def test_the_rules_in_force_would_have_done_the_same(talk: Conversation) -> None:
    for text in TEXTS:
        written(talk, "outbound", text)

    found = tried(from_settings())

    assert (found.decisions, found.appearing, found.vanishing) == ({}, {}, {})
    assert set(found.rules) == {"attempt"}


def test_alerts_vanish_above_the_threshold_and_appear_below_it(talk: Conversation) -> None:
    usual = from_settings()
    ask = written(talk, "inbound", ASK)
    alert = Alert.objects.get()

    vanishing = tried(replace(usual, thresholds=limits(0.9999)))
    assert {side: group.samples for side, group in vanishing.vanishing.items()} == {alert.by: [ask.pk]}
    assert not vanishing.appearing

    # Messages that no inspection has raised an alert for, as with rules that were too mild.
    other = factories.conversation(talk.employee, name="Jun Mori")
    first, _again = (factories.received(ASK, other, occurred_at=timezone.now()) for _ in range(2))
    appearing = tried(usual)
    assert {side: group.samples for side, group in appearing.appearing.items()} == {"customer": [first.pk]}
    assert not appearing.vanishing


def test_the_command_tells_it_as_json(talk: Conversation) -> None:
    message = written(talk, "outbound", ASK)
    out = io.StringIO()

    call_command("contact_guard_policy", "rehearse", "--industry", "finance", stdout=out, stderr=io.StringIO())

    found = json.loads(out.getvalue())
    assert found["decisions"]["nudge -> block"] == {"times": 1, "samples": [str(message.pk)]}
    assert ASK not in out.getvalue()
    with pytest.raises(CommandError, match="no version"):
        call_command("contact_guard_policy", "rehearse", "--digest", "0" * 64)
    with pytest.raises(CommandError, match="1 to 3660"):
        call_command("contact_guard_policy", "rehearse", "--days", "0")

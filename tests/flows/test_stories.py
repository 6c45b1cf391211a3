"""Each preset in stories, through the gateway and the tasks: what is sent, asked about, stopped, and alerted."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard import gateway, tasks
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.policy import presets
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.clock import Clock
from tests.flows.story import FOLDER, Step, Story, stories

pytestmark = pytest.mark.django_db

FILES = [f"{industry}_{language}" for industry in presets.INDUSTRIES for language in ("en", "ja")]
STORIES = [pytest.param(name, story, id=f"{name}: {story.title}") for name in FILES for story in stories(name)]


def test_every_preset_has_twenty_stories_in_each_language() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(FILES)
    assert not {name: len(stories(name)) for name in FILES if len(stories(name)) < 20}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(("name", "story"), STORIES)
def test_story(name: str, story: Story, clock: Clock, settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    preset = presets.preset(name.rpartition("_")[0])
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD,
        "INDUSTRY": preset.name,
        "WORKING_HOURS": preset.hours.working,
        "QUIET_HOURS": {"daily": preset.hours.quiet} if preset.hours.quiet else {},
    }
    clock.now = story.steps[0].at
    employee = factories.employee("aoi", branch=factories.team(head="sora"), zone="Asia/Tokyo")
    talk = factories.conversation(employee)

    happened = []
    for step in story.steps:
        with django_capture_on_commit_callbacks(execute=True):
            happened.append(_play(step, talk, clock))
        if step.goes_out:
            assert set(Delivery.objects.values_list("state", flat=True)) <= {"sent", "delivered", "read"}

    assert happened == [(step.action, step.reasons) for step in story.steps]
    assert set(Alert.objects.values_list("topic", "by")) == story.alerts


def _play(step: Step, talk: Conversation, clock: Clock) -> tuple[str, tuple[str, ...]]:
    clock.now = step.at
    if step.goes_out:
        tasks.sweep()
        return "", ()
    if step.by_customer:
        factories.received(step.text, talk, occurred_at=step.at)
        return "", ()
    assert talk.employee is not None
    emergency = step.code == "emergency"
    override = Override(code=OverrideCode(step.code), text="It was agreed") if step.code and not emergency else None
    sent = gateway.send(actor=talk.employee, conversation=talk, text=step.text, override=override, emergency=emergency)
    kept = sent.message is None
    if not kept and sent.wait is None:
        return "deliver", sent.decision.reasons
    return sent.decision.action.value, sent.decision.reasons

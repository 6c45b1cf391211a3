"""An old decision, replayed by its own version: the same, whatever the settings have become; altered, it is told."""

from __future__ import annotations

import json
from io import StringIO
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crm_contact_guard import gateway
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.replaying import NotReplayable, replay
from crm_contact_guard.record.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

TEXTS = (
    "LINE交換しませんか？ID: hanako_22",
    "My private mobile is 090-1234-5678, text me there",
    "Let's settle this privately, pay me cash and skip the company",
    "Let's meet after work at my place",
    "はい、ではLINEで追加します",
    "カード番号は4111 1111 1111 1111です",
)


def decisions() -> list[Event]:
    """Decisions of every industry on every text, at work and after hours."""
    from django.conf import settings
    from django.test import override_settings

    at_work = factories.employee("aoi", hours={"mon-sun": "00:00-24:00"})
    off = factories.employee("ken", hours={"sun": "03:00-03:01"})
    night = factories.office_time()
    for industry, text, actor in product(("general", "finance", "overseas_shop"), TEXTS, (at_work, off)):
        with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "INDUSTRY": industry}):
            gateway.send(actor=actor, conversation=factories.conversation(actor), text=text, occurred_at=night)
    return list(Event.objects.filter(kind__startswith="decision."))


def test_every_decision_replays_the_same_under_other_settings(settings: Any) -> None:
    found = decisions()
    assert {event.kind for event in found} >= {"decision.deliver", "decision.nudge", "decision.block"}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "INDUSTRY": "healthcare", "RULES": {"attempt": "deliver"}}

    for event in found:
        again = replay(event)
        assert again.is_same
        assert again.action == event.kind.removeprefix("decision.")


def altered(event: Event, **changes: Any) -> Event:
    """The event as it would be with other data, in memory."""
    event.data = json.dumps({**json.loads(event.data), **changes})
    return event


def test_an_altered_decision_differs() -> None:
    event = decisions()[0]

    assert not replay(altered(event, decision="block")).is_same
    assert not replay(altered(event, decision="nudge", rules=["attempt.side_deal"])).is_same


def test_without_its_version_nothing_is_replayed() -> None:
    event = decisions()[0]
    with pytest.raises(NotReplayable, match="missing or altered"):
        replay(altered(event, policy="0" * 64))
    PolicyVersion.objects.update(text="{}")
    with pytest.raises(NotReplayable):
        replay(Event.objects.get(pk=event.pk))
    with pytest.raises(NotReplayable, match="no decision"):
        replay(Event.objects.exclude(kind__startswith="decision.")[0])


def test_on_the_command_line() -> None:
    event, out = decisions()[0], StringIO()

    call_command("contact_guard_policy", "replay", str(event.pk), stdout=out)
    call_command("contact_guard_policy", "show", stdout=out)
    call_command("contact_guard_policy", "versions", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0].startswith("same: recorded nudge by attempt")
    assert '  "industry": "general",' in lines
    assert len([line for line in lines if line.endswith(" settings published")]) == 3
    with pytest.raises(CommandError, match="There is no event"):
        call_command("contact_guard_policy", "replay", str(uuid4()))
